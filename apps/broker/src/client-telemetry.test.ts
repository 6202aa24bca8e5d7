import { ZERO_UUID } from '@millrace/base'
import { recordKinds, type Configs, type MetadataImage } from '@millrace/controller'
import { SimClock, SimRandom } from '@millrace/testing'
import { ErrorCode } from '@millrace/wire'
import { ClientTelemetry, type ClientDescription, type Subscription } from './client-telemetry'

const MAX_BYTES = 100

function open(configs: Record<string, Configs> = {}) {
  const clock = new SimClock()
  const state = { records: new Map(Object.entries(configs)) }
  const metadata = () =>
    ({
      records: (kind: unknown) => (kind === recordKinds.configs ? state.records : new Map()),
    }) as unknown as MetadataImage
  const telemetry = new ClientTelemetry({ clock, random: new SimRandom(1), metadata })
  return { clock, state, telemetry }
}

function aClient(more: Partial<ClientDescription> = {}): ClientDescription {
  return {
    client_instance_id: ZERO_UUID,
    client_id: 'app-1',
    client_software_name: 'apache-kafka-java',
    client_software_version: '4.3.0',
    client_source_address: '127.0.0.1',
    client_source_port: '5000',
    ...more,
  }
}

function subscribed(answer: Subscription | number): Subscription {
  if (typeof answer === 'number') throw new Error(`refused with ${answer}`)
  return answer
}

function aPush({ clientInstanceId, subscriptionId }: Subscription, more = {}) {
  const push = { clientInstanceId, subscriptionId, isTerminating: false, compressionType: 0 }
  return { ...push, sizeBytes: 10, ...more }
}

describe('ClientTelemetry', () => {
  it('joins the subscriptions that match, at the shortest of their intervals', () => {
    const { telemetry } = open({
      'client-metrics/a': { metrics: 'a.,b.', 'interval.ms': '2000' },
      'client-metrics/b': { metrics: 'b.,c.', 'interval.ms': '1000', match: 'client_id=app-.*' },
      'client-metrics/c': { metrics: 'd.', match: 'client_software_version=3.*' },
      'group/g': {},
    })
    const { requestedMetrics, pushIntervalMs } = subscribed(telemetry.subscribe(aClient()))
    expect(requestedMetrics).toEqual(['a.', 'b.', 'c.'])
    expect(pushIntervalMs).toBe(1000)
  })

  it('asks for everything where one subscription does, and for nothing where none matches', () => {
    const { telemetry } = open({
      'client-metrics/all': { metrics: '*', match: 'client_id=app-1' },
      'client-metrics/some': { metrics: 'a.', match: 'client_id=app-1' },
    })
    expect(subscribed(telemetry.subscribe(aClient())).requestedMetrics).toEqual(['*'])
    // A pattern covers the whole value.
    const other = subscribed(telemetry.subscribe(aClient({ client_id: 'app-10' })))
    expect(other.requestedMetrics).toEqual([])
    expect(other.pushIntervalMs).toBe(300_000)
  })

  it('takes pushes in the rhythm that it told, the first one at any time', async () => {
    const { telemetry, clock } = open({
      'client-metrics/a': { metrics: '*', 'interval.ms': '1000' },
    })
    await clock.advance(5000)
    const subscription = subscribed(telemetry.subscribe(aClient()))
    const client = aClient({ client_instance_id: subscription.clientInstanceId })
    const push = (more = {}) => telemetry.push(aPush(subscription, more), client, MAX_BYTES)
    expect(push()).toBe(ErrorCode.NONE)
    expect(push()).toBe(ErrorCode.THROTTLING_QUOTA_EXCEEDED)
    await clock.advance(1000)
    expect(push({ sizeBytes: MAX_BYTES + 1 })).toBe(ErrorCode.TELEMETRY_TOO_LARGE)
    await clock.advance(1000)
    expect(push({ compressionType: 9 })).toBe(ErrorCode.UNSUPPORTED_COMPRESSION_TYPE)
    expect(typeof telemetry.subscribe(client)).toBe('object') // to choose another codec at once
    expect(push({ isTerminating: true })).toBe(ErrorCode.NONE)
    await clock.advance(1000)
    expect(push()).toBe(ErrorCode.INVALID_REQUEST)
    expect(telemetry.pushCount).toBe(2)
    expect(telemetry.pushedBytes).toBe(20)
  })

  it('refuses a subscription that has changed, and tells the new one at once', async () => {
    const { telemetry, state, clock } = open({ 'client-metrics/a': { metrics: 'a.' } })
    await clock.advance(1)
    const old = subscribed(telemetry.subscribe(aClient()))
    const client = aClient({ client_instance_id: old.clientInstanceId })
    state.records = new Map([['client-metrics/a', { metrics: 'b.' }]])
    expect(telemetry.push(aPush(old), client, MAX_BYTES)).toBe(ErrorCode.UNKNOWN_SUBSCRIPTION_ID)
    const { requestedMetrics, subscriptionId } = subscribed(telemetry.subscribe(client))
    expect(requestedMetrics).toEqual(['b.'])
    expect(subscriptionId).not.toBe(old.subscriptionId)
  })

  it('tells who asks again too soon to wait', () => {
    const { telemetry } = open()
    const { clientInstanceId } = subscribed(telemetry.subscribe(aClient()))
    expect(telemetry.subscribe(aClient({ client_instance_id: clientInstanceId }))).toBe(
      ErrorCode.THROTTLING_QUOTA_EXCEEDED,
    )
  })
})
