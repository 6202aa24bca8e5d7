import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/**
 * What happens to a request: `busy` is answered with 503; `cut` loses it before the server sees it; `lose-reply` cuts the connection
 * after the server acted; `hang` never answers.
 */
export type FaultKind = 'busy' | 'cut' | 'lose-reply' | 'hang'

interface Fault {
  readonly kind: FaultKind
  readonly isMeant: (request: SeenRequest) => boolean
  timesLeft: number
}

export interface SeenRequest {
  readonly method: string
  readonly url: string
}

/** Stands between a client and an HTTP server and makes trouble on demand. */
export interface FaultProxy {
  readonly url: string
  /** Every request that came, in order. */
  readonly seen: readonly SeenRequest[]
  /** From now on, `times` such requests meet this fault. Returns what ends it early. */
  fault(kind: FaultKind, isMeant?: (request: SeenRequest) => boolean, times?: number): () => void
  close(): Promise<void>
}

const BUSY =
  '<?xml version="1.0" encoding="UTF-8"?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>'

export async function startFaultProxy(targetUrl: string): Promise<FaultProxy> {
  const seen: SeenRequest[] = []
  const faults = new Set<Fault>()
  const take = (one: SeenRequest): FaultKind | null => {
    const fault = [...faults].find(({ isMeant }) => isMeant(one))
    if (fault === undefined) return null
    fault.timesLeft -= 1
    if (fault.timesLeft <= 0) faults.delete(fault)
    return fault.kind
  }
  const server = createServer((incoming, reply) => {
    const one = { method: incoming.method ?? '', url: incoming.url ?? '' }
    seen.push(one)
    incoming.on('error', () => undefined)
    const kind = take(one)
    if (kind === 'cut') incoming.socket.destroy()
    else if (kind === 'hang') incoming.resume()
    else if (kind === 'busy') answerBusy(incoming, reply)
    else forward(targetUrl, { incoming, reply, isReplyLost: kind === 'lose-reply' })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    fault: (kind, isMeant = () => true, times = Number.POSITIVE_INFINITY) => {
      const fault = { kind, isMeant, timesLeft: times }
      faults.add(fault)
      return () => void faults.delete(fault)
    },
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function answerBusy(incoming: IncomingMessage, reply: ServerResponse): void {
  incoming.resume().on('end', () => {
    reply.writeHead(503, { 'content-type': 'application/xml' }).end(BUSY)
  })
}

interface Exchange {
  readonly incoming: IncomingMessage
  readonly reply: ServerResponse
  readonly isReplyLost: boolean
}

/** The headers go on as they are: the host is part of the signature. */
function forward(targetUrl: string, { incoming, reply, isReplyLost }: Exchange): void {
  const { method, headers, url = '/' } = incoming
  const outgoing = request(new URL(url, targetUrl), { method, headers, path: url }, (answer) => {
    if (isReplyLost) {
      answer.resume().on('end', () => incoming.socket.destroy())
      return
    }
    reply.writeHead(answer.statusCode ?? 500, answer.headers)
    answer.pipe(reply)
  })
  outgoing.on('error', () => incoming.socket.destroy())
  incoming.pipe(outgoing)
}
