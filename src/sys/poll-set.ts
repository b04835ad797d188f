/** Many descriptors behind one that the event loop can read: epoll(7), and an eventfd that says when to look. */
import { addressOf, pin } from "../../ffi/syscall.ts";
import { define, type FdArg, bits, fd, int, long, one, out } from "./primitive.ts";
import { eventfd2 } from "./calls/file.ts";
import type { Fd } from "./fd.ts";
import { EFD, EPOLL, EPOLL_CREATE, EPOLL_CTL } from "./flags.ts";
import { run } from "./invoke.ts";

// Here and not in the vocabulary: `epoll_event` is laid out in two ways, and what io_setup returns is an address of this process.
const epollCreate1 = define("epoll_create1", "fd", (flags: number) => [bits("EPOLL_CREATE", flags)]);
const epollCtl = define("epoll_ctl", "none", (epoll: FdArg, op: number, target: FdArg, event: Uint8Array | null) => [
  fd(epoll),
  one("EPOLL_CTL", op),
  fd(target),
  event,
]);
const epollWaitNow = define("epoll_pwait", "number", (epoll: FdArg, events: Uint8Array, most: number) => [
  fd(epoll),
  out(events),
  int(most),
  0,
  null,
  8,
]);
const ioSetup = define("io_setup", "u64", (requests: number) => [int(requests), { out: 8 }]);
const ioSubmit = define("io_submit", "number", (context: bigint, list: Uint8Array) => [long(context), 1, list]);
const ioGetevents = define("io_getevents", "number", (context: bigint, events: Uint8Array) => [
  long(context),
  0,
  1,
  out(events),
  { struct: "timespec", fields: { tv_sec: 0, tv_nsec: 0 } },
]);
const ioDestroy = define("io_destroy", "none", (context: bigint) => [long(context)]);

/** `struct epoll_event` is packed on x86-64 only. */
const [dataAt, eventSize] = process.arch === "x64" ? [4, 12] : [8, 16];
const most = 64;

const IOCB_CMD_POLL = 5;
const IOCB_FLAG_RESFD = 1;

/**
 * A set of descriptors to wait for in the event loop, which can wait for bytes of a pipe or an eventfd but not for others' POLLPRI.
 *
 * They are in an epoll instance; one request of asynchronous I/O polls that, and its end is told to an eventfd, which
 * `Bun.file(set.wake.number).stream()` reads. No thread, and no memory but that of the two. io_submit(2), Linux 4.18 for
 * IOCB_CMD_POLL.
 *
 * Each descriptor is told of once for each time that something happens with it (EPOLLET).
 */
export class PollSet implements Disposable {
  /** The eventfd: bytes in it say that it is time for {@link ready}. */
  readonly wake: Fd;
  readonly #epoll: Fd;
  readonly #context: bigint;
  readonly #events = pin(most * eventSize);
  readonly #request = pin(64);
  readonly #requests = pin(8);
  readonly #completion = pin(32);
  #armed = false;

  /**
   * An empty set: two descriptors and one request.
   * @throws {SyscallError} EMFILE for want of descriptors; EAGAIN from io_setup at fs.aio-max-nr, EINVAL before Linux 4.18.
   */
  constructor() {
    using owned = new DisposableStack();
    this.#epoll = owned.use(run(epollCreate1, EPOLL_CREATE.CLOEXEC));
    this.wake = owned.use(run(eventfd2, 0, EFD.CLOEXEC | EFD.NONBLOCK));
    this.#context = run(ioSetup, 1);
    owned.defer(() => run(ioDestroy, this.#context));
    const iocb = new DataView(this.#request.buffer);
    iocb.setUint16(16, IOCB_CMD_POLL, true);
    iocb.setUint32(20, this.#epoll.number, true);
    iocb.setBigUint64(24, BigInt(EPOLL.IN), true);
    iocb.setUint32(56, IOCB_FLAG_RESFD, true);
    iocb.setUint32(60, this.wake.number, true);
    new DataView(this.#requests.buffer).setBigUint64(0, BigInt(addressOf(this.#request)), true);
    this.#arm();
    owned.move();
  }

  /**
   * `epoll_ctl(epfd, EPOLL_CTL_ADD, fd, event)`: from now on. What has happened with the descriptor before counts too. epoll_ctl(2)
   * @param events Of `EPOLL.*`; EPOLL.ERR and EPOLL.HUP always are waited for.
   * @param id What {@link ready} calls it, a number of 32 bits.
   * @throws {SyscallError} EPERM for files that cannot be polled, ENOSPC at fs.epoll.max_user_watches.
   */
  add(target: FdArg, events: number, id: number): void {
    const event = pin(eventSize);
    const view = new DataView(event.buffer);
    view.setUint32(0, events + EPOLL.ET, true);
    view.setUint32(dataAt, id, true);
    run(epollCtl, this.#epoll, EPOLL_CTL.ADD, target, event);
  }

  /** `epoll_ctl(epfd, EPOLL_CTL_DEL, fd, NULL)`: before it is closed. epoll_ctl(2) */
  remove(target: FdArg): void {
    run(epollCtl, this.#epoll, EPOLL_CTL.DEL, target, null);
  }

  /** Ids of those that something has happened with since they were told of, without waiting. */
  ready(): number[] {
    const ids: number[] = [];
    const view = new DataView(this.#events.buffer);
    for (let count = most; count === most;) {
      count = run(epollWaitNow, this.#epoll, this.#events, most);
      for (let i = 0; i < count; i++) ids.push(view.getUint32(i * eventSize + dataAt, true));
    }
    this.#arm();
    return ids;
  }

  /** One request at a time. What happens between the last look and this ends it at once. */
  #arm(): void {
    if (this.#armed) this.#armed = run(ioGetevents, this.#context, this.#completion) === 0;
    if (this.#armed) return;
    run(ioSubmit, this.#context, this.#requests);
    this.#armed = true;
    // The request holds its address as a number: this is what keeps it.
    this.#request.fill(0, 0, 8);
  }

  /** Whether it is closed. */
  get closed(): boolean {
    return this.wake.closed;
  }

  /** Ends the request and closes the two descriptors. Those in the set belong to others. */
  [Symbol.dispose](): void {
    if (this.closed) return;
    run(ioDestroy, this.#context);
    this.#epoll.close();
    this.wake.close();
  }
}
