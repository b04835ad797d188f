/** Numbers of devices, as mknodat takes them and strace prints them: `makedev(0x1, 0x3)` is /dev/null. makedev(3) */
import { OptionsError } from "./options-error.ts";

/**
 * `makedev(major, minor)`: one word of 32 bits, laid out as the kernel takes it. makedev(3)
 * @throws {OptionsError} for a major number above 4095, a minor one above 1048575: the kernel has no more.
 */
export function makedev(major: number, minor: number): number {
  if (!isWithin(major, 0xfff)) throw new OptionsError("makedev(), major", major, "expected a number from 0 to 4095");
  if (!isWithin(minor, 0xfffff))
    throw new OptionsError("makedev(), minor", minor, "expected a number from 0 to 1048575");
  return ((minor & 0xff) | (major << 8) | ((minor & 0xfff00) << 12)) >>> 0;
}

/** The driver's half of a device number. makedev(3) */
export const major = (device: number): number => (device >>> 8) & 0xfff;

/** The device's half of a device number. makedev(3) */
export const minor = (device: number): number => (device & 0xff) | ((device >>> 12) & 0xfff00);

const isWithin = (value: number, max: number): boolean => Number.isInteger(value) && value >= 0 && value <= max;
