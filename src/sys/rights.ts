/** Descriptors that came over a unix socket, in the control messages of recvmsg. unix(7), cmsg(3) Pure. */
import { SCM, SOL } from "./flags.ts";

/**
 * The numbers of the descriptors in a buffer of control messages that was all zeros before recvmsg wrote to it. Each is open
 * and belongs to the caller: `new Fd(number)`. More than there was room for were closed by the kernel.
 */
export function parseRights(control: Uint8Array): number[] {
  const view = new DataView(control.buffer, control.byteOffset, control.byteLength);
  const fds: number[] = [];
  for (let at = 0; at + head <= control.length;) {
    const length = view.getUint32(at, true);
    if (length < head) break;
    if (view.getInt32(at + 8, true) === SOL.SOCKET && view.getInt32(at + 12, true) === SCM.RIGHTS)
      for (let i = at + head; i + 4 <= Math.min(at + length, control.length); i += 4) fds.push(view.getInt32(i, true));
    at += 8 * Math.ceil(length / 8);
  }
  return fds;
}

/** sizeof(struct cmsghdr) */
const head = 16;

/** Bytes of control messages that this many descriptors take: `new Uint8Array(rightsSpace(1))`. CMSG_SPACE of cmsg(3) */
export const rightsSpace = (count: number): number => head + ((4 * count + 7) & ~7);
