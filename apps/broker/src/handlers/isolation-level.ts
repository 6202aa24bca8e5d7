/** 0 reads what is there, 1 what is committed. Kafka has no better word for any other than UNKNOWN_SERVER_ERROR. */
export function isIsolationLevel(isolationLevel: number): boolean {
  return isolationLevel === 0 || isolationLevel === 1
}
