/** Where objects go. Two implementations: an S3 server and a folder. */
export interface ObjectStore {
  /** Checks that the bucket can be written. @throws RetriableError, ConfigurationError */
  open(): Promise<void>
  /** Begins an object. Nothing of it can be seen under its key until `complete` has returned. */
  createObject(key: string): ObjectUpload
  close(): void
}

export interface ObjectUpload {
  /** Takes the bytes over; sends whole parts when there are enough. @throws RetriableError, ConfigurationError */
  write(chunks: readonly Buffer[]): Promise<void>
  /**
   * Makes the object visible, replacing one of the same key. After a failure it can be called again and goes on where it failed.
   * @throws RetriableError, ConfigurationError
   */
  complete(): Promise<void>
  /** Gives the upload up and frees what the store holds of it. Never throws: what is left behind costs space, not correctness. */
  abort(): Promise<void>
}
