/** Standard streams of a box. A "pipe" is one of ours, not Bun's: Bun's are sockets, and `echo > /dev/stdout` fails on those. */
import { closeSync } from "node:fs";
import { SyscallError } from "../sys/error.ts";
import { AT, AT_FDCWD, MOUNT_ATTR, O, OPEN_TREE } from "../sys/flags.ts";
import { sys } from "../sys/vocabulary.ts";
import type { SpawnOptions } from "./options.ts";

/** The options that decide where the streams lead. */
export type StdioOptions = Pick<SpawnOptions, "stdin" | "stdout" | "stderr" | "terminal" | "maxBuffer">;
type ChildEnd = Exclude<SpawnOptions["stdin"], "pipe" | undefined>;

/** Both ends of the three streams. */
export interface Stdio {
  /** For Bun.spawn. */
  readonly child: readonly [ChildEnd, ChildEnd, ChildEnd];
  readonly stdin: PipeWriter | undefined;
  readonly stdout: ReadableStream<Uint8Array<ArrayBuffer>> | undefined;
  readonly stderr: ReadableStream<Uint8Array<ArrayBuffer>> | undefined;
  /** Our ends, as far as nobody is using them. */
  closeOwn(): void;
}

/**
 * Opens what the three streams of a box need; with a terminal, nothing.
 * @param stacks What is opened is given to them at once: `lent` is the child's, `owned` is ours.
 * @param tooMuch Called once when a stream has had more than `maxBuffer` bytes.
 */
export function openStdio(
  options: StdioOptions,
  { owned, lent }: { owned: DisposableStack; lent: DisposableStack },
  tooMuch: () => void,
): Stdio {
  const own: { close(): void }[] = [];
  owned.defer(() => own.forEach((end) => end.close()));
  const lend = (fd: number): number => {
    lent.defer(() => closeSync(fd));
    return fd;
  };
  // Of the host's /dev/null a box of root could change the mode, and be it by a descriptor.
  let nothing: ChildEnd;
  const ignored = (kind: ChildEnd): ChildEnd =>
    kind === "ignore" || kind === null ? (nothing ??= openNull(lend)) : kind;
  const input = (): [ChildEnd, PipeWriter | undefined] => {
    if (options.stdin !== "pipe") return [ignored(options.stdin ?? "ignore"), undefined];
    const [read, write] = makePipe();
    const writer = new PipeWriter(write);
    own.push(writer);
    return [lend(read), writer];
  };
  const output = (
    wanted: SpawnOptions["stdout"],
    usual: "pipe" | "inherit",
  ): [ChildEnd, ReadableStream<Uint8Array<ArrayBuffer>> | undefined] => {
    const kind = wanted === undefined ? usual : wanted;
    if (kind !== "pipe") return [ignored(kind), undefined];
    const [read, write] = makePipe();
    const source = reader(read, options.maxBuffer, tooMuch);
    own.push(source);
    return [lend(write), source.stream];
  };
  const [stdinEnd, stdin] = options.terminal ? [null, undefined] : input();
  const [stdoutEnd, stdout] = options.terminal ? [null, undefined] : output(options.stdout, "pipe");
  const [stderrEnd, stderr] = options.terminal ? [null, undefined] : output(options.stderr, "inherit");
  return {
    child: [stdinEnd, stdoutEnd, stderrEnd],
    stdin,
    stdout,
    stderr,
    closeOwn: () => own.forEach((end) => end.close()),
  };
}

/** /dev/null behind a mount that is read-only, which takes root; others could not change it anyway. */
function openNull(lend: (fd: number) => number): ChildEnd {
  if (process.geteuid?.() !== 0) return "ignore";
  try {
    const tree = lend(sys.openTree(AT_FDCWD, "/dev/null", OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC).release());
    sys.mountSetattr(tree, "", AT.EMPTY_PATH, MOUNT_ATTR.RDONLY);
    return lend(sys.openat(AT_FDCWD, `/proc/self/fd/${tree}`, O.RDWR | O.CLOEXEC).release());
  } catch (error) {
    // Root of a container, without CAP_SYS_ADMIN: what it has is its own.
    if (error instanceof SyscallError && error.code === "EPERM") return "ignore";
    throw error;
  }
}

/** `pipe2(fds, O_CLOEXEC)`: the reading and the writing end. */
export function makePipe(): [read: number, write: number] {
  const [read, write] = sys.pipe2(O.CLOEXEC);
  return [read.release(), write.release()];
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
    // Nothing is read before somebody asks, and a program that writes more than a pipe holds waits for it: no memory fills up.
    // Only with a limit on the output, which has to be counted, all is read at once.
    { highWaterMark: maxBuffer === undefined ? 0 : Number.POSITIVE_INFINITY },
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

  /** Takes over the writing end of a pipe. */
  constructor(fd: number) {
    this.#sink = Bun.file(fd).writer();
    this.#owner = once(fd);
    forgotten.register(this, this.#owner);
  }
  /** Bytes taken, or a promise of that while the pipe is full; as Bun.FileSink. */
  write(chunk: Parameters<Bun.FileSink["write"]>[0]): number | Promise<number> {
    return this.#sink.write(chunk);
  }
  /** Hands on what has been held back; bytes, as Bun.FileSink. */
  flush(): number | Promise<number> {
    return this.#sink.flush();
  }
  /** Hands on the rest and closes the pipe: the program comes to the end of its input. */
  async end(error?: Error): Promise<number> {
    try {
      return await this.#sink.end(error);
    } finally {
      this.#owner.close();
    }
  }
  /** Keeps the event loop alive while the pipe is open, as Bun.FileSink. */
  ref(): void {
    this.#sink.ref();
  }
  /** Lets the event loop end. */
  unref(): void {
    this.#sink.unref();
  }
  /** For a program that has ended: what was not read is of no interest. */
  close(): void {
    void this.end().catch(() => {});
  }
}
