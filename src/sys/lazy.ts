/** What is loaded when it is first used: importing this folder costs what is used of it, and the rest nothing. */

/** The function of that name in a module, which its first call loads. */
export function lazy<M extends object, K extends keyof M>(load: () => M, name: K): M[K] {
  let found: ((...args: unknown[]) => unknown) | undefined;
  const call = (...args: unknown[]): unknown => (found ??= load()[name] as NonNullable<typeof found>)(...args);
  return call as M[K];
}
