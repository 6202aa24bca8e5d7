import { Controller, Get } from '@nestjs/common'
import { ConnectReader } from './connect-reader'

/** `GET /api/connectors`: every connector with its state and the state of its tasks. */
@Controller('api/connectors')
export class ConnectorsController {
  readonly #connect: ConnectReader

  constructor(connect: ConnectReader) {
    this.#connect = connect
  }

  @Get()
  async list() {
    return { connectors: await this.#connect.connectors() }
  }
}
