/** Mounts: the overlay builder, and steps that put the root of a box together. mount(2), overlayfs */
export { Overlay, overlay } from "./overlay.ts";
export type { UserMount } from "./bind.ts";
export type { HostEntry, RootSpec } from "./root.ts";
