export interface Client {
  readonly clientId: string
  /** As Kafka shows it: `/127.0.0.1`. */
  readonly clientHost: string
  /** Of the request. */
  readonly apiVersion: number
}
