/** Events of inotify, as read(2) gives them: structs with a name behind each. Pure. */
import { decodeStruct, decodeText } from "./decode.ts";
import { structs } from "./structs.ts";

/** One event: `mask` is of `IN.*`, `cookie` is the same for both halves of a rename and 0 otherwise. inotify(7) */
export interface InotifyEvent {
  /** The watch that inotify_add_watch returned; -1 when events were lost (IN.Q_OVERFLOW). */
  readonly wd: number;
  readonly mask: number;
  readonly cookie: number;
  /** The entry of the watched directory, "" when the event is about what is watched itself. */
  readonly name: string;
}

/**
 * Reads what one read(2) of an inotify descriptor returned, which is whole events only.
 *
 * ```ts
 * const buffer = new Uint8Array(4096);
 * parseInotifyEvents(buffer.subarray(0, sys.read(inotify, buffer)));
 * ```
 * @throws {RangeError} where the bytes end inside of an event.
 */
export function parseInotifyEvents(bytes: Uint8Array): readonly InotifyEvent[] {
  const events: InotifyEvent[] = [];
  const { size } = structs.inotify_event;
  for (let at = 0; at < bytes.length;) {
    const { wd, mask, cookie, len } = decodeStruct("inotify_event", bytes.subarray(at));
    const end = at + size + len;
    if (at + size > bytes.length || end > bytes.length)
      throw new RangeError(`inotify event at byte ${at}: it ends at byte ${end}, the buffer at ${bytes.length}`);
    events.push({ wd, mask, cookie, name: decodeText(bytes, at + size, end) });
    at = end;
  }
  return events;
}
