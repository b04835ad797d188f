/** A host that is the same everywhere: for plans whose text is compared. */
import type { Host } from "../../src/spawn/host.ts";

export const host: Host = {
  arch: "x64",
  kernel: [6, 18],
  uid: 1000,
  gid: 1000,
  isAdmin: false,
  canMapIds: false,
  umask: 0o022,
  cwd: "/home/user",
  env: { PATH: "/usr/bin:/bin", HOME: "/home/user" },
  maxFiles: 524288,
  token: "c0ffee",
  base: "/tmp",
  paths: {
    "/images/base": "directory",
    "/images/top": "directory",
    "/etc/resolv.conf": "file",
    "/srv/up": "directory",
  },
  root: [
    { kind: "link", path: "/bin", target: "usr/bin" },
    { kind: "directory", path: "/etc", mode: 0o755, isEmpty: false },
    { kind: "directory", path: "/srv", mode: 0o755, isEmpty: true },
    { kind: "file", path: "/vmlinuz" },
    {
      kind: "branch",
      path: "/home",
      mode: 0o755,
      entries: [{ kind: "mount", path: "/home/user", mode: 0o700, isDirectory: true }],
    },
    { kind: "directory", path: "/usr", mode: 0o755, isEmpty: false },
  ],
};

/** The same for root. */
export const rootHost: Host = { ...host, uid: 0, gid: 0, isAdmin: true, canMapIds: true };
