import { systemClock, type Clock } from '@millrace/base'
import { Quotas, type QuotaRecord } from '@millrace/quota'
import { ApiKey, encodeRequest, HeartbeatRequest } from '@millrace/wire'
import { handler, type RequestContext } from '../handlers/handler'
import type { BrokerServices } from '../services'
import { createDispatcher } from './dispatcher'
import { Session } from './session'

const CONFIG = {
  quotaWindowNum: 11,
  quotaWindowSizeSeconds: 1,
  controllerQuotaWindowNum: 11,
  controllerQuotaWindowSizeSeconds: 1,
}
/** A tenth of the thread: in the ten seconds that a first request is measured over, one second. */
const ONE_SECOND_IS_FREE: QuotaRecord = {
  entity: { user: null },
  values: { request_percentage: 10 },
}

let nowMs = 0
const clock: Clock = { ...systemClock, now: () => nowMs, monotonicMs: () => nowMs }
const client = new Session({ host: '::1', port: 1, listenerName: 'TEST', protocol: 'PLAINTEXT' })

beforeEach(() => {
  nowMs = 0
})

type Handle = (ctx: RequestContext) => object | null | Promise<object | null>

/** Does a request that does this, and gives the waits that its client was told, one for each time. */
async function waitsOf(handle: Handle, times: number): Promise<number[]> {
  const quotas = new Quotas(CONFIG)
  quotas.apply([ONE_SECOND_IS_FREE], () => null)
  const heartbeat = handler(ApiKey.Heartbeat, { min: 0, max: 0 }, (_, ctx) => handle(ctx) as never)
  const services = { quotas, clock } as BrokerServices
  const dispatcher = createDispatcher([heartbeat], services, () => undefined)
  const header = { correlationId: 1, clientId: 'app' }
  const body = { groupId: 'g', generationId: 1, memberId: 'm' }
  const frame = Buffer.concat(encodeRequest(HeartbeatRequest, 0, header, body)).subarray(4)
  const told: number[] = []
  for (let count = 0; count < times; count++) {
    let waitMs = 0
    await dispatcher.dispatch(frame, client, { mute: (delayMs) => (waitMs = delayMs) })
    told.push(waitMs)
  }
  return told
}

function work(ms: number): void {
  nowMs += ms
}

async function wait(ms: number): Promise<void> {
  await Promise.resolve()
  nowMs += ms
}

describe('the time of a request', () => {
  it('is that of its handler', async () => {
    const handle = () => {
      work(600)
      return { errorCode: 0 }
    }
    expect(await waitsOf(handle, 2)).toEqual([0, 1000]) // at most one sample
  })

  it('is not what it waits for others', async () => {
    const handle = async () => {
      work(200)
      await wait(5000)
      return { errorCode: 0 }
    }
    expect(await waitsOf(handle, 4)).toEqual([0, 0, 0, 0])
  })

  it('is also what is done for it after the wait', async () => {
    const handle = async (ctx: RequestContext) => {
      work(100)
      await wait(1000)
      return ctx.timed(() => {
        work(1100)
        return { errorCode: 0 }
      })
    }
    expect(await waitsOf(handle, 1)).toEqual([1000])
  })

  it('has that of the encoding in it, which the next answer tells', async () => {
    const answer = {
      get errorCode() {
        work(1200)
        return 0
      },
    }
    expect(await waitsOf(() => answer, 2)).toEqual([0, 1000])
  })

  it('does not count for who takes no answer', async () => {
    const handle = () => {
      work(5000)
      return null
    }
    expect(await waitsOf(handle, 2)).toEqual([0, 0])
  })
})
