/** Standard streams of a box. A "pipe" is one of ours, not Bun's: Bun's are sockets, and `echo > /dev/stdout` fails on those. */
import { closeSync } from "node:fs";
import { pin } from "../../ffi/syscall.ts";
import { O } from "../sys/flags.ts";
import { sys } from "../sys/invoke.ts";
import type { SpawnOptions } from "./options.ts";

export type StdioOptions = Pick<SpawnOptions, "stdin" | "stdout" | "stderr" | "terminal" | "maxBuffer">;
type ChildEnd = Exclude<SpawnOptions["stdin"], "pipe" | undefined>;

/** Both ends of the three streams. */
export interface Stdio {
  /** For Bun.spawn. */
  readonly child: readonly [ChildEnd, ChildEnd, ChildEnd];
  readonly stdin: PipeWriter | undefined;
  readonly stdout: ReadableStream<Uint8Array<ArrayBuffer>> | undefined;
  readonly stderr: ReadableStream<Uint8Array<ArrayBuffer>> | undefined;
  /** After the spawn: the box's ends of the pipes. */
  closeChild(): void;
  /** Our ends, as far as nobody is using them. */
  closeOwn(): void;
}

/** @param tooMuch Called once when a stream has had more than `maxBuffer` bytes. */
export function openStdio(options: StdioOptions, tooMuch: () => void): Stdio {
  const child: number[] = [];
  const own: { close(): void }[] = [];
  const pipe = (isInput: boolean): number => {
    const [read, write] = makePipe();
    child.push(isInput ? read : write);
    return isInput ? write : read;
  };
  const input = (): [ChildEnd, PipeWriter | undefined] => {
    if (options.stdin !== "pipe") return [options.stdin ?? "ignore", undefined];
    const writer = new PipeWriter(pipe(true));
    own.push(writer);
    return [child.at(-1) ?? null, writer];
  };
  const output = (
    wanted: SpawnOptions["stdout"],
    usual: "pipe" | "inherit",
  ): [ChildEnd, ReadableStream<Uint8Array<ArrayBuffer>> | undefined] => {
    const kind = wanted === undefined ? usual : wanted;
    if (kind !== "pipe") return [kind, undefined];
    const source = reader(pipe(false), options.maxBuffer, tooMuch);
    own.push(source);
    return [child.at(-1) ?? null, source.stream];
  };
  const [stdinEnd, stdin] = options.terminal ? [null, undefined] : input();
  const [stdoutEnd, stdout] = options.terminal ? [null, undefined] : output(options.stdout, "pipe");
  const [stderrEnd, stderr] = options.terminal ? [null, undefined] : output(options.stderr, "inherit");
  return {
    child: [stdinEnd, stdoutEnd, stderrEnd],
    stdin,
    stdout,
    stderr,
    closeChild: () => child.splice(0).forEach((fd) => closeSync(fd)),
    closeOwn: () => own.forEach((end) => end.close()),
  };
}

/** `pipe2(fds, O_CLOEXEC)`: the reading and the writing end. */
export function makePipe(): [read: number, write: number] {
  const ends = pin(8);
  sys.pipe2(ends, O.CLOEXEC);
  const view = new DataView(ends.buffer);
  return [view.getInt32(0, true), view.getInt32(4, true)];
}

/** A stream that nobody has read to its end, nor closed, closes its descriptor when it is collected. */
const forgotten = new FinalizationRegistry<{ close(): void }>((owner) => owner.close());

function once(fd: number): { close(): void } {
  let isOpen = true;
  return {
    close() {
      if (isOpen) closeSync(fd);
      isOpen = false;
    },
  };
}

const openReader = (fd: number) => Bun.file(fd).stream().getReader();

function reader(fd: number, maxBuffer: number | undefined, tooMuch: () => void) {
  const owner = once(fd);
  let source: ReturnType<typeof openReader> | undefined;
  let total = 0;
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      async pull(controller) {
        const from = (source ??= openReader(fd));
        const { done, value } = await from.read();
        if (done || value === undefined) {
          owner.close();
          controller.close();
          return;
        }
        const before = total;
        total += value.length;
        if (maxBuffer !== undefined && total > maxBuffer && before <= maxBuffer) tooMuch();
        controller.enqueue(value);
      },
      async cancel() {
        await source?.cancel();
        owner.close();
      },
    },
    // Nothing is read before somebody asks: then an unread pipe can be closed at any time.
    { highWaterMark: 0 },
  );
  forgotten.register(stream, owner);
  return {
    stream,
    close() {
      if (!stream.locked) void stream.cancel();
    },
  };
}

/** Bun's writer of a pipe, which the program sees the end of when it is ended: Bun's own leaves the descriptor open. */
export class PipeWriter {
  readonly #sink: Bun.FileSink;
  readonly #owner: { close(): void };

  constructor(fd: number) {
    this.#sink = Bun.file(fd).writer();
    this.#owner = once(fd);
  }
  write(chunk: Parameters<Bun.FileSink["write"]>[0]): number | Promise<number> {
    return this.#sink.write(chunk);
  }
  flush(): number | Promise<number> {
    return this.#sink.flush();
  }
  async end(error?: Error): Promise<number> {
    try {
      return await this.#sink.end(error);
    } finally {
      this.#owner.close();
    }
  }
  ref(): void {
    this.#sink.ref();
  }
  unref(): void {
    this.#sink.unref();
  }
  /** For a program that has ended: what was not read is of no interest. */
  close(): void {
    void this.end().catch(() => {});
  }
}
