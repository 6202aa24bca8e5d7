import { EventEmitter } from 'node:events'
import type { Client } from 'pg'
import { systemClock } from '@millrace/connect-api'
import { MessageReader } from './message-reader'

/** The part of a socket that a reader uses. Pausing is recorded, not obeyed. */
class FakeSocket extends EventEmitter {
  isPaused = false
  writable = true
  pause() {
    this.isPaused = true
  }
  resume() {
    this.isPaused = false
  }
}

function message(type: string, body: string): Buffer {
  const buffer = Buffer.alloc(5 + Buffer.byteLength(body))
  buffer.write(type)
  buffer.writeUInt32BE(buffer.length - 1, 1)
  buffer.write(body, 5)
  return buffer
}

function open(maxBufferedBytes = 1 << 20) {
  const socket = new FakeSocket()
  const client = { connection: { stream: socket } } as unknown as Client
  const reader = new MessageReader(client, systemClock, { maxBufferedBytes, paceMs: 0 })
  return { socket, reader }
}

function readAll(reader: MessageReader): string[] {
  const messages: string[] = []
  for (let type = reader.next(); type !== 0; type = reader.next()) {
    const body = reader.buffer.toString('utf8', reader.bodyStart, reader.bodyStop)
    messages.push(String.fromCharCode(type) + body)
  }
  return messages
}

const MESSAGES = [
  message('D', ''),
  message('d', 'hello'),
  message('Z', 'I'),
  message('d', 'x'.repeat(40)),
]
const TEXTS = ['D', 'dhello', 'ZI', `d${'x'.repeat(40)}`]

it('finds the messages however the bytes are cut', () => {
  const bytes = Buffer.concat(MESSAGES)
  for (let chunkBytes = 1; chunkBytes <= bytes.length; chunkBytes++) {
    const { socket, reader } = open()
    const found: string[] = []
    for (let at = 0; at < bytes.length; at += chunkBytes) {
      socket.emit('data', bytes.subarray(at, at + chunkBytes))
      if (at % 2 === 0) found.push(...readAll(reader))
    }
    found.push(...readAll(reader))
    expect(found).toEqual(TEXTS)
    expect(reader.bufferedBytes).toBe(0)
  }
})

it('pauses the socket when enough waits, but not inside a message that is larger', () => {
  const { socket, reader } = open(20)
  const large = message('d', 'y'.repeat(100))
  expect(reader.next()).toBe(0)
  socket.emit('data', large.subarray(0, 10))
  expect(reader.next()).toBe(0)
  socket.emit('data', large.subarray(10, 60))
  expect(socket.isPaused).toBe(false)
  socket.emit('data', Buffer.concat([large.subarray(60), MESSAGES[1]]))
  expect(socket.isPaused).toBe(true)
  expect(readAll(reader)).toEqual([`d${'y'.repeat(100)}`, 'dhello'])
  expect(socket.isPaused).toBe(false)
})

it('hands out what arrived before it reports a lost connection', async () => {
  const { socket, reader } = open()
  socket.emit('data', MESSAGES[1])
  socket.emit('error', Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }))
  await reader.wait(60_000)
  expect(reader.next()).toBe('d'.charCodeAt(0))
  expect(() => reader.next()).toThrow('ECONNRESET')
})

it('refuses a message that is shorter than its own header', () => {
  const { socket, reader } = open()
  socket.emit('data', Buffer.from([0x64, 0, 0, 0, 1]))
  expect(() => reader.next()).toThrow('not a Postgres message')
})
