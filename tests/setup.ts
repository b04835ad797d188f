/** Loaded before each run: a test that starts processes may take its time on a busy machine. */
import { setDefaultTimeout } from "bun:test";

setDefaultTimeout(60_000);
