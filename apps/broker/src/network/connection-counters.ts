/** What happened to the connections of one listener since the start: plain numbers. */
export class ConnectionCounters {
  created = 0
  closed = 0
  /** First logins, and handshakes of TLS where there is no login. */
  authenticated = 0
  failedAuthentications = 0
}
