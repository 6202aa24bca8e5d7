/**
 * The process that makes the load: it sends batches that were encoded beforehand over plain sockets, so that it costs little
 * and the broker is what is measured. Driven by its parent over the IPC channel.
 */
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { FrameSplitter } from '@millrace/wire'
import { FetchLoop } from './fetch-loop.ts'
import { Meter } from './meter.ts'
import type { LoadMessage, LoadOptions } from './options.ts'
import { PacedProduceLoop } from './paced-produce-loop.ts'
import { ProduceLoop } from './produce-loop.ts'

const FRAME_MAX_BYTES = 128 * 1024 * 1024

/** One connection's side of the conversation. Frames go out by `send`, which the caller has corked. */
export interface Loop {
  start(send: (frame: Buffer) => void): void
  onFrame(frame: Buffer, send: (frame: Buffer) => void): void
}

process.once('message', (options: LoadOptions) => void run(options))

async function run(options: LoadOptions): Promise<void> {
  const meter = new Meter()
  const sockets: Socket[] = []
  for (let index = 0; index < options.connections; index++) {
    sockets.push(await open(options.port, newLoop(options, index, meter)))
  }
  await sleep(options.warmUpMs)
  meter.begin()
  tell({ type: 'measuring' })
  await sleep(options.measureMs)
  tell({ type: 'done', result: meter.finish() })
  for (const socket of sockets) socket.destroy()
  process.disconnect()
}

function newLoop(options: LoadOptions, index: number, meter: Meter): Loop {
  switch (options.kind) {
    case 'produce':
      return new ProduceLoop(options, index, meter)
    case 'paced-produce':
      return new PacedProduceLoop(options, index, meter)
    case 'fetch':
      return new FetchLoop(options, index, meter)
  }
}

function open(port: number, loop: Loop): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true })
  const splitter = new FrameSplitter({ maxFrameBytes: FRAME_MAX_BYTES })
  const send = (frame: Buffer) => void socket.write(frame)
  socket.on('data', (chunk: Buffer) => {
    splitter.push(chunk)
    socket.cork()
    for (let frame = splitter.next(); frame; frame = splitter.next()) loop.onFrame(frame, send)
    socket.uncork()
  })
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.cork()
      loop.start(send)
      socket.uncork()
      resolve(socket)
    })
  })
}

function tell(message: LoadMessage): void {
  process.send!(message)
}
