/** Ports for servers that cannot be told to take any. Imported by jest and by plain `node`: only erasable types, no packages of ours. */
import { createServer } from 'node:net'

/** Below those that a system gives to outgoing connections, one of which could take a port before its server has it, or while that restarts. */
const FIRST_PORT = 20_000
const PORT_COUNT = 10_000

export async function freePort(): Promise<number> {
  const [port] = await freePorts(1)
  return port
}

/** Different ones, of 127.0.0.1. */
export async function freePorts(count: number): Promise<number[]> {
  const found: number[] = []
  while (found.length < count) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORT_COUNT)
    if (!found.includes(port) && (await isFree(port))) found.push(port)
  }
  return found
}

function isFree(port: number): Promise<boolean> {
  const server = createServer()
  return new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
