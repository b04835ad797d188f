/** Why a command about control groups did nothing, and the exit code for it. */

/** What the exit codes mean; 2 is a command line that cannot be understood. */
export const codes = { refused: 1, absent: 3, forbidden: 4, busy: 5, unsupported: 6 } as const;

/** Something that cannot be done, found out before the kernel was asked. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly code: keyof typeof codes;

  constructor(code: keyof typeof codes, message: string) {
    super(message);
    this.code = code;
  }
}

const codesByErrno: Readonly<Record<string, number>> = {
  ENOENT: codes.absent,
  ESRCH: codes.absent,
  ENODEV: codes.absent,
  EPERM: codes.forbidden,
  EACCES: codes.forbidden,
  EROFS: codes.forbidden,
  EBUSY: codes.busy,
  ENOTEMPTY: codes.busy,
  ETIMEDOUT: codes.busy,
  EOPNOTSUPP: codes.unsupported,
};

/** The exit code of a failure. */
export function codeOf(error: unknown): number {
  if (error instanceof Refusal) return codes[error.code];
  if (error instanceof Error && "code" in error) return codesByErrno[String(error.code)] ?? codes.refused;
  return codes.refused;
}
