/** Small files of /proc, /sys and cgroups read over and over: a raw pread(2) into one buffer, with nothing made on the way. */
import { pin, syscall } from "../../ffi/syscall.ts";
import { type Arch, numberOf } from "./numbers.ts";

/** Reads files that are kept open. */
export interface Reader {
  /** What was read last, from its start; what follows is left from before. Its bytes never move. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /**
   * `pread64(fd, bytes, bytes.length, 0)`: how many bytes were read, or -errno: `-ENODEV` where a group has been removed. pread(2)
   *
   * Unlike `sys.pread64` it neither checks its argument nor throws, and makes no object: 30 ns above what the kernel takes.
   */
  read(fd: number): number;
}

/** A reader with room for that many bytes. A file that is longer is cut off there. */
export function reader(size: number): Reader {
  const bytes = pin(size);
  const nr = numberOf("pread64", process.arch as Arch);
  return { bytes, read: (fd) => syscall(nr, fd, bytes, size, 0) };
}
