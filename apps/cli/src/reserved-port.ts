import { createServer } from 'node:http'
import { errorCode } from '@millrace/base'
import { cliErrors } from './errors'

export interface ReservedPort {
  readonly address: string
  close(): Promise<void>
}

/** Holds a port for a service that is still to come; whoever asks is told so with 501. @throws PlatformError CLI_PORT_UNAVAILABLE */
export function reservePort(
  service: string,
  host: string,
  port: number,
  option: string,
): Promise<ReservedPort> {
  const body = JSON.stringify({
    error_code: 501,
    message: `the ${service} is not part of this version`,
  })
  const server = createServer((_request, response) => {
    response.writeHead(501, { 'content-type': 'application/json' }).end(body)
  })
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      reject(
        cliErrors.create(
          'CLI_PORT_UNAVAILABLE',
          { host, port, option, reason: errorCode(cause) },
          { cause },
        ),
      )
    })
    server.listen(port, host, () => {
      const address = server.address() as { port: number }
      resolve({
        address: `http://${host}:${address.port}`,
        close: () => new Promise((done) => server.close(() => done())),
      })
    })
  })
}
