import { once } from 'node:events'
import { connect } from 'node:net'
import { systemClock } from '@millrace/base'
import { parseConfig } from '@millrace/config'
import { quotaConfigDefinition, Quotas } from '@millrace/quota'
import { silentLogger } from '@millrace/telemetry'
import { KafkaListener } from './listener'

describe('KafkaListener', () => {
  // They kept the process alive after a start that had failed.
  it('closes connections that came before a start that fails', async () => {
    let failStart: (error: Error) => void
    const bound = Promise.withResolvers<number>()
    const listener = new KafkaListener(
      {
        dispatcher: { dispatch: () => null, isOneAtATime: () => false },
        lifecycle: {
          onBound: ([{ port }]) => {
            bound.resolve(port)
            return new Promise((_, reject) => (failStart = reject))
          },
          onRebound: () => undefined,
          onDraining: () => undefined,
        },
        logger: silentLogger,
        clock: systemClock,
        gateOf: () => null,
        quotas: new Quotas(parseConfig(quotaConfigDefinition, {}).config),
      },
      {
        listeners: [
          {
            name: 'PLAINTEXT',
            host: '127.0.0.1',
            port: 0,
            security: { protocol: 'PLAINTEXT', tls: null, sasl: null },
          },
        ],
        addedListeners: [],
        backlog: 10,
        limits: { max: 10, maxOfListener: new Map(), maxPerIp: 10, maxOfIp: new Map() },
        maxFrameBytes: 1000,
        maxIdleMs: 60_000,
      },
    )
    const listened = new Promise<unknown>((resolve) => listener.listen(resolve))
    const socket = connect({ host: '127.0.0.1', port: await bound.promise })
    await once(socket, 'connect')
    const closed = once(
      socket.on('error', () => undefined),
      'close',
    )
    await new Promise((resolve) => setImmediate(resolve)) // the listener has taken it
    failStart!(new Error('the disk is gone'))
    expect(await listened).toMatchObject({ message: 'the disk is gone' })
    await listener.close()
    await closed
  })
})
