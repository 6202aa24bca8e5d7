import { setFlagsFromString } from 'node:v8'

/**
 * Keeps the space for new objects at its first size, 1 MB, in all threads. What a start allocates mostly stays (its code), and V8 takes
 * that for a reason to give new objects 32 MB per thread, which an idle process then holds. A broker's objects are few and
 * short-lived, but read buffers of 64 KB hang on them: see docs/adr/0012.
 */
export function holdYoungGeneration(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
}

/** Back to V8's own growth, for whoever makes an object per record. */
export function releaseYoungGeneration(): void {
  setFlagsFromString('--semi-space-growth-factor=2')
}
