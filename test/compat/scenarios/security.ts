/** Listeners that ask who is there, and listeners that encrypt. */
import assert from 'node:assert/strict'
import { type Client, type Login, NotOffered } from '../client.ts'
import { aTopic, assertSame, numbered, plain, type Scenario, type World } from './world.ts'

type Sasl = NonNullable<Login['sasl']>
type Listener = 'sasl' | 'tls' | 'saslTls'

export const security: readonly Scenario[] = [
  login('SASL PLAIN', 'sasl', 'PLAIN'),
  login('SASL SCRAM-SHA-256', 'sasl', 'SCRAM-SHA-256'),
  login('SASL SCRAM-SHA-512', 'sasl', 'SCRAM-SHA-512'),
  login('TLS', 'tls', null),
  login('SASL SCRAM-SHA-512 over TLS', 'saslTls', 'SCRAM-SHA-512'),
  { name: 'a wrong password is refused', run: refuseWrongPassword },
]

function login(name: string, listener: Listener, mechanism: Sasl['mechanism'] | null): Scenario {
  return {
    name,
    async run(world) {
      const client = await openOn(world, listener, mechanism)
      const topic = await aTopic(world, `secure-${listener}-${mechanism ?? 'none'}`, 1)
      const sent = numbered(20)
      await client.produce(topic, sent, plain)
      assertSame(await client.fetch({ topic, partition: 0, from: 'beginning', count: 20 }), sent)
    },
  }
}

async function refuseWrongPassword(world: World): Promise<void> {
  const topic = await aTopic(world, 'refused', 1)
  const client = await openOn(world, 'sasl', 'PLAIN', 'not the password')
  await assert.rejects(client.produce(topic, numbered(1), plain))
}

async function openOn(
  { open, server }: World,
  listener: Listener,
  mechanism: Sasl['mechanism'] | null,
  password?: string,
): Promise<Client> {
  if (server.security === null) throw new NotOffered('there is no openssl on this machine')
  const { caFile, user, bootstrap } = server.security
  const client = await open(bootstrap[listener], {
    sasl: mechanism && { mechanism, ...user, ...(password && { password }) },
    caFile: listener === 'sasl' ? null : caFile,
  })
  if ('missing' in client) throw new Error(client.missing)
  return client
}
