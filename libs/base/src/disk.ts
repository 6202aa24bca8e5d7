/**
 * The only door to the file system for the engine libraries. Appends and reads of the page cache are synchronous (a
 * thread-pool hop costs more than the call); whatever waits for the platter or may take long is a promise.
 */
export interface DiskFile {
  readonly path: string
  /** Bytes in the file, as of the calls made through this handle. */
  size(): number
  /** Writes all buffers one after the other at `position`, into the page cache. @throws Node's error (ENOSPC, EIO). */
  writev(buffers: readonly Buffer[], position: number): void
  /** Reads up to `length` bytes into `target` at `targetStart`; returns how many, fewer only at the end of the file. */
  read(target: Buffer, targetStart: number, length: number, position: number): number
  /** `read` on the thread pool, for work that may take long; `target` is in use until it ends. EBADF if the file is closed first. */
  readLater(target: Buffer, targetStart: number, length: number, position: number): Promise<number>
  /** fdatasync on the thread pool. A rejected sync means that the data is unknown: never retry as if it could succeed. */
  sync(): Promise<void>
  truncate(size: number): Promise<void>
  close(): void
}

export interface Disk {
  /** `append` creates the file if absent and allows reading; `read` fails with ENOENT. */
  open(path: string, mode: 'append' | 'read'): DiskFile
  /** The whole file, or null if it does not exist. */
  readFile(path: string): Promise<Buffer | null>
  /** Replaces a file so that after a crash there is the old or the new content, never a mix: temp file, fsync, rename, fsync of the directory. */
  replaceFile(path: string, content: Buffer | string): Promise<void>
  /** Names in a directory, sorted; empty if it does not exist. */
  list(directory: string): Promise<string[]>
  makeDirectory(path: string): Promise<void>
  rename(from: string, to: string): Promise<void>
  /** Removes a file or a whole directory; nothing happens if absent. */
  remove(path: string): Promise<void>
  /** Makes creations, renames and removals in the directory survive a power loss. */
  syncDirectory(path: string): Promise<void>
  /** How large the file system of a directory is, and how much of it this process may still use. */
  space(path: string): Promise<DiskSpace>
}

export interface DiskSpace {
  readonly totalBytes: number
  readonly usableBytes: number
}
