import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nodeDisk, systemRandom } from '@millrace/base'
import { int, oneOf } from '@millrace/config'
import { EmbeddedStore } from '@millrace/coordination'
import { silentLogger } from '@millrace/telemetry'
import { recordKinds } from './cluster-records'
import { type Configs, Controller, type ControllerOptions } from './controller'
import type { NewTopic } from './topics'

const topicConfigs = {
  retentionMs: int('retention.ms', { default: 1000, min: -1, doc: 'Age.' }),
  cleanupPolicy: oneOf('cleanup.policy', ['delete', 'compact'], { default: 'delete', doc: 'How.' }),
}
const broker = (id: number) => ({ id, host: '127.0.0.1', port: 9092, rack: null })
const aTopic = (topic: Partial<NewTopic> = {}): NewTopic => ({
  name: 'orders',
  partitions: 1,
  replicationFactor: 1,
  configs: {},
  ...topic,
})

let directory: string
let store: EmbeddedStore
const opened: Controller[] = []

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'controller-'))
  store = await openStore()
})
afterEach(async () => {
  for (const controller of opened.splice(0)) controller.close()
  await store.close()
  rmSync(directory, { recursive: true })
})

function openStore(): Promise<EmbeddedStore> {
  return EmbeddedStore.open({ disk: nodeDisk, logger: silentLogger }, { directory })
}
async function openController(
  nodeId = 1,
  options: Partial<ControllerOptions> = {},
): Promise<Controller> {
  const controller = await Controller.open(
    { store, random: systemRandom, logger: silentLogger },
    { nodeId, partitions: 2, replicationFactor: 1, topicConfigs, ...options },
  )
  opened.push(controller)
  await controller.registerBroker(broker(nodeId))
  return controller
}

describe('a cluster', () => {
  it('keeps its id, brokers and topics over a restart', async () => {
    const before = await openController()
    const topic = await before.createTopic(aTopic({ configs: { 'retention.ms': '5' } }))
    const { clusterId } = before.metadata()
    before.close()
    await store.close()
    store = await openStore()
    const image = (await openController(1, { clusterId: 'other' })).metadata()
    expect(image.clusterId).toBe(clusterId)
    expect(image.brokers).toEqual([broker(1)])
    expect(image.topics.get('orders')).toMatchObject({ id: topic.id, configs: topic.configs })
    expect(image.topicById(topic.id)).toBe(image.topics.get('orders'))
  })

  it('gives its broker a larger epoch with every registration', async () => {
    const first = await openController()
    const { brokerEpoch } = first
    expect(brokerEpoch).toBeGreaterThan(0)
    await first.registerBroker(broker(2))
    expect(first.brokerEpoch).toBe(brokerEpoch)
    expect((await openController()).brokerEpoch).toBeGreaterThan(brokerEpoch)
  })

  it('META-6: raises the leader epoch of its partitions with every start', async () => {
    const first = await openController()
    for (let n = 0; n < 120; n++) await first.createTopic(aTopic({ name: `t${n}` }))
    const second = await openController()
    const epochs = [...second.metadata().topics.values()].map((t) => t.partitions[0].leaderEpoch)
    expect(epochs).toEqual(new Array(120).fill(1))
  })

  it('refuses metadata of a newer format', async () => {
    await store.txn({ success: [{ type: 'put', key: 'format', value: '2' }] })
    await expect(openController()).rejects.toMatchObject({ code: 'CONTROLLER_BAD_METADATA' })
  })

  it('META-5: never gives a producer id twice', async () => {
    const [one, two] = [await openController(1), await openController(2)]
    const blocks = await Promise.all(
      Array.from({ length: 10 }, (_, n) => [one, two][n % 2].allocateProducerIds(1000)),
    )
    const firsts = blocks.map((block) => block.firstProducerId).sort((a, b) => a - b)
    expect(firsts).toEqual(Array.from({ length: 10 }, (_, n) => n * 1000))
  })
})

describe('creating a topic', () => {
  it('spreads replicas over the brokers, and takes the defaults for -1', async () => {
    const controller = await openController(1, { replicationFactor: 2 })
    await controller.registerBroker(broker(2))
    await controller.registerBroker(broker(3))
    const topic = await controller.createTopic(aTopic({ partitions: 3 }))
    expect(new Set(topic.partitions.map((partition) => partition.leader)).size).toBe(3)
    const byDefault = await controller.createTopic(
      aTopic({ name: 'b', partitions: -1, replicationFactor: -1 }),
    )
    expect(byDefault.partitions.map((partition) => partition.replicas.length)).toEqual([2, 2])
    expect(controller.metadata().topics.get('orders')).toEqual(topic)
  })

  it('takes a manual assignment in any order', async () => {
    const controller = await openController()
    await controller.registerBroker(broker(2))
    const assignments = [
      { partitionIndex: 1, brokerIds: [1, 2] },
      { partitionIndex: 0, brokerIds: [2, 1] },
    ]
    const given = { partitions: -1, replicationFactor: -1, assignments }
    const { partitions } = await controller.createTopic(aTopic(given))
    expect(partitions.map((partition) => partition.leader)).toEqual([2, 1])
  })

  it.each([
    ['CONTROLLER_INVALID_TOPIC_NAME', { name: '' }],
    ['CONTROLLER_INVALID_TOPIC_NAME', { name: '.' }],
    ['CONTROLLER_INVALID_TOPIC_NAME', { name: '..' }],
    ['CONTROLLER_INVALID_TOPIC_NAME', { name: 'a/b' }],
    ['CONTROLLER_INVALID_TOPIC_NAME', { name: 'ä' }],
    ['CONTROLLER_INVALID_TOPIC_NAME', { name: 'x'.repeat(250) }],
    ['CONTROLLER_INVALID_PARTITIONS', { partitions: 0 }],
    ['CONTROLLER_INVALID_PARTITIONS', { partitions: -2 }],
    ['CONTROLLER_INVALID_PARTITIONS', { partitions: 2 ** 31 - 1 }],
    ['CONTROLLER_INVALID_REPLICATION_FACTOR', { replicationFactor: 0 }],
    ['CONTROLLER_INVALID_REPLICATION_FACTOR', { replicationFactor: 2 }],
    ['CONTROLLER_INVALID_CONFIG', { configs: { 'retention.ms': null } }],
    ['CONTROLLER_INVALID_REQUEST', { assignments: [{ partitionIndex: 0, brokerIds: [1] }] }],
    ['CONTROLLER_INVALID_ASSIGNMENT', manual([0, [2]])],
    ['CONTROLLER_INVALID_ASSIGNMENT', manual([0, [1, 1]])],
    ['CONTROLLER_INVALID_ASSIGNMENT', manual([0, []])],
    ['CONTROLLER_INVALID_ASSIGNMENT', manual([0, [1]], [0, [1]])],
    ['CONTROLLER_INVALID_ASSIGNMENT', manual([0, [1]], [2, [1]])],
    ['CONTROLLER_INVALID_ASSIGNMENT', manual([1, [1]])],
  ])('is refused with %s for %j', async (code, topic) => {
    const controller = await openController()
    await expect(controller.createTopic(aTopic(topic))).rejects.toMatchObject({ code })
    expect(controller.metadata().topics.size).toBe(0)
  })

  it('names every wrong config at once', async () => {
    const configs = { 'retention.ms': 'soon', 'cleanup.policy': 'none', nonsense: '1' }
    const refused = (await openController()).createTopic(aTopic({ configs }))
    await expect(refused).rejects.toThrow(
      "config of topic 'orders' is invalid: unknown topic config nonsense; " +
        'retention.ms=soon (expected a whole number); ' +
        'cleanup.policy=none (expected one of delete, compact)',
    )
  })

  it('checks and creates nothing with validateOnly', async () => {
    const controller = await openController()
    const topic = await controller.createTopic(aTopic({ validateOnly: true }))
    expect(topic.partitions).toHaveLength(1)
    expect(controller.metadata().topics.size).toBe(0)
  })

  it('has one winner among several brokers, also between names that collide', async () => {
    const [one, two] = [await openController(1), await openController(2)]
    const same = await Promise.allSettled([one, two].map((c) => c.createTopic(aTopic())))
    expect(outcomes(same)).toEqual(['created', 'CONTROLLER_TOPIC_EXISTS'])
    const colliding = await Promise.allSettled([
      one.createTopic(aTopic({ name: 'a.b' })),
      two.createTopic(aTopic({ name: 'a_b' })),
    ])
    expect(outcomes(colliding)).toEqual(['created', 'CONTROLLER_TOPIC_NAME_COLLIDES'])
    expect([...two.metadata().topics.keys()]).toEqual(['orders', 'a.b'])
  })

  it('marks internal topics', async () => {
    const controller = await openController()
    const topic = await controller.createTopic(aTopic({ name: '__consumer_offsets' }))
    expect(topic.isInternal).toBe(true)
  })
})

describe('changing a topic', () => {
  it('adds partitions, and never takes any away', async () => {
    const controller = await openController()
    await controller.createTopic(aTopic({ partitions: 2 }))
    await controller.createPartitions({ name: 'orders', count: 3, assignments: null })
    expect(controller.metadata().topics.get('orders')!.partitions).toHaveLength(3)
    for (const count of [3, 2]) {
      const refused = controller.createPartitions({ name: 'orders', count, assignments: null })
      await expect(refused).rejects.toMatchObject({ code: 'CONTROLLER_INVALID_PARTITIONS' })
    }
    const assignments = [{ partitionIndex: 3, brokerIds: [1] }]
    await controller.createPartitions({ name: 'orders', count: 4, assignments })
    const tooFew = controller.createPartitions({ name: 'orders', count: 6, assignments })
    await expect(tooFew).rejects.toMatchObject({ code: 'CONTROLLER_INVALID_ASSIGNMENT' })
    const unknown = controller.createPartitions({ name: 'x', count: 6, assignments: null })
    await expect(unknown).rejects.toMatchObject({ code: 'CONTROLLER_UNKNOWN_TOPIC' })
  })

  it('sets and removes configs, all or none', async () => {
    const controller = await openController()
    await controller.createTopic(aTopic({ configs: { 'retention.ms': '5' } }))
    const configs = () => controller.metadata().topics.get('orders')!.configs
    const plan = (before: Configs) => ({ ...before, 'cleanup.policy': 'compact' })
    await controller.alterTopicConfigs({ name: 'orders', plan, validateOnly: true })
    expect(configs()).toEqual({ 'retention.ms': '5' })
    await controller.alterTopicConfigs({ name: 'orders', plan })
    expect(configs()).toEqual({ 'retention.ms': '5', 'cleanup.policy': 'compact' })
    const refused = controller.alterTopicConfigs({
      name: 'orders',
      plan: () => ({ 'retention.ms': '7', 'cleanup.policy': 'x' }),
    })
    await expect(refused).rejects.toMatchObject({ code: 'CONTROLLER_INVALID_CONFIG' })
    expect(configs()).toEqual({ 'retention.ms': '5', 'cleanup.policy': 'compact' })
  })

  it('keeps both of two concurrent changes', async () => {
    const [one, two] = [await openController(1), await openController(2)]
    await one.createTopic(aTopic())
    await Promise.all([
      one.alterTopicConfigs({ name: 'orders', plan: () => ({ 'retention.ms': '5' }) }),
      two.createPartitions({ name: 'orders', count: 2, assignments: null }),
    ])
    const topic = one.metadata().topics.get('orders')!
    expect(topic.partitions).toHaveLength(2)
    expect(topic.configs).toEqual({ 'retention.ms': '5' })
  })

  it('forgets a broker that has nothing, and no other', async () => {
    const controller = await openController(1)
    const two = { id: 2, host: 'h', port: 1, rack: null }
    await controller.registerBroker(two)
    const assignments = [{ partitionIndex: 0, brokerIds: [2] }]
    const shape = { partitions: -1, replicationFactor: -1, assignments }
    await controller.createTopic(aTopic({ name: 'on-two', ...shape }))
    await expect(controller.unregisterBroker(2)).rejects.toMatchObject({
      code: 'CONTROLLER_BROKER_IN_USE',
    })
    await controller.deleteTopic({ name: 'on-two' })
    await controller.unregisterBroker(2)
    expect(controller.metadata().brokers.map(({ id }) => id)).not.toContain(2)
    await expect(controller.unregisterBroker(2)).rejects.toMatchObject({
      code: 'CONTROLLER_UNKNOWN_BROKER',
    })
  })

  it('deletes by name or id, once, and frees the name', async () => {
    const controller = await openController()
    const { id } = await controller.createTopic(aTopic({ name: 'a.b' }))
    const results = await Promise.allSettled([
      controller.deleteTopic({ name: 'a.b' }),
      controller.deleteTopic({ id }),
    ])
    expect(outcomes(results)).toEqual(['created', 'CONTROLLER_UNKNOWN_TOPIC_ID'])
    const again = await controller.createTopic(aTopic({ name: 'a_b' }))
    expect(again.id).not.toBe(id)
    expect(controller.metadata().topicById(id)).toBeUndefined()
  })

  it('is told to listeners in order, with the topics that it touched', async () => {
    const controller = await openController()
    const heard: [number, readonly string[]][] = []
    const stop = controller.onChange((image, topics) => heard.push([image.topics.size, topics]))
    const before = controller.metadata()
    await controller.createTopic(aTopic())
    await controller.deleteTopic({ name: 'orders' })
    stop()
    await controller.createTopic(aTopic())
    expect(heard).toEqual([
      [1, ['orders']],
      [0, ['orders']],
    ])
    expect(before.topics.size).toBe(0)
  })

  it('fails at once after close', async () => {
    const controller = await openController()
    controller.close()
    const refused = controller.createTopic(aTopic())
    await expect(refused).rejects.toMatchObject({ code: 'CONTROLLER_CLOSED' })
  })
})

function manual(...assigned: [number, number[]][]): Partial<NewTopic> {
  const assignments = assigned.map(([partitionIndex, brokerIds]) => ({ partitionIndex, brokerIds }))
  return { partitions: -1, replicationFactor: -1, assignments }
}

function outcomes(results: PromiseSettledResult<unknown>[]): string[] {
  return results.map((result) =>
    result.status === 'fulfilled' ? 'created' : (result.reason as { code: string }).code,
  )
}

describe('cluster records', () => {
  const { configs, features } = recordKinds
  const set = (controller: Controller, changes: Record<string, Record<string, string> | null>) =>
    controller.changeRecords(configs, () => new Map(Object.entries(changes)))

  it('are part of the image, and there again after a restart', async () => {
    const before = await openController()
    await set(before, { 'broker/1': { a: '1' }, 'broker/': { a: '2' } })
    await set(before, { 'broker/': null })
    await before.changeRecords(features, () => new Map([['group.version', 1]]))
    expect(before.metadata().records(configs)).toEqual(new Map([['broker/1', { a: '1' }]]))
    before.close()
    await store.close()
    store = await openStore()
    const after = (await openController()).metadata()
    expect(after.records(configs)).toEqual(new Map([['broker/1', { a: '1' }]]))
    expect(after.records(features)).toEqual(new Map([['group.version', 1]]))
  })

  it('are planned again on top of a change that came in between', async () => {
    const controllers = [await openController(1), await openController(2)]
    const addOne = (controller: Controller) =>
      controller.changeRecords(features, (all) => new Map([['count', (all.get('count') ?? 0) + 1]]))
    await Promise.all(Array.from({ length: 10 }, (_, at) => addOne(controllers[at % 2])))
    expect(controllers[0].metadata().records(features).get('count')).toBe(10)
  })

  it('of one kind keep their map while another kind changes', async () => {
    const controller = await openController()
    await set(controller, { 'broker/1': { a: '1' } })
    const map = controller.metadata().records(configs)
    await controller.changeRecords(features, () => new Map([['group.version', 1]]))
    expect(controller.metadata().records(configs)).toBe(map)
  })

  it('of one kind are told to who follows them: those that there are, then each change', async () => {
    const controller = await openController()
    await set(controller, { 'broker/1': { a: '1' }, 'broker/2': { a: '2' } })
    const heard: unknown[] = []
    controller.followRecords(configs, (key, value) => heard.push([key, value]))
    expect(heard.splice(0)).toEqual([
      ['broker/1', { a: '1' }],
      ['broker/2', { a: '2' }],
    ])
    await set(controller, { 'broker/1': null, 'broker/3': { a: '3' } })
    expect(heard.splice(0)).toEqual([
      ['broker/1', null],
      ['broker/3', { a: '3' }],
    ])
    await controller.changeRecords(features, () => new Map([['group.version', 1]]))
    expect(heard).toEqual([])
  })
})
