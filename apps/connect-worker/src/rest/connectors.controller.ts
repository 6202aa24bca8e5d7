import { DistributedHerder } from '@millrace/connect-runtime'
import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Param,
  Patch,
  Post,
  Put,
  Query,
  Res,
} from '@nestjs/common'
import type { FastifyReply } from 'fastify'
import { parseConfigBody, parseCreateRequest } from './bodies'

/** `/connectors` and what belongs to one connector, tasks apart. */
@Controller('connectors')
export class ConnectorsController {
  readonly #herder: DistributedHerder

  constructor(herder: DistributedHerder) {
    this.#herder = herder
  }

  @Get()
  list(@Query('expand') expand?: string | string[]) {
    const names = this.#herder.connectorNames()
    const wanted = expand === undefined ? [] : [expand].flat()
    if (wanted.length === 0) return names
    return Object.fromEntries(
      names.map((name) => [
        name,
        {
          ...(wanted.includes('status') ? { status: this.#herder.views.state(name) } : {}),
          ...(wanted.includes('info') ? { info: this.#herder.views.info(name) } : {}),
        },
      ]),
    )
  }

  @Post()
  async create(@Body() body: unknown, @Res({ passthrough: true }) reply: FastifyReply) {
    const { name, config, initialState } = parseCreateRequest(body)
    const info = await this.#herder.create(name, config, initialState)
    reply.header('Location', `/connectors/${encodeURIComponent(name)}`)
    return info
  }

  @Get(':name')
  info(@Param('name') name: string) {
    return this.#herder.views.info(name)
  }

  @Delete(':name')
  @HttpCode(204)
  async delete(@Param('name') name: string): Promise<void> {
    await this.#herder.delete(name)
  }

  @Get(':name/config')
  config(@Param('name') name: string) {
    return this.#herder.views.config(name)
  }

  @Put(':name/config')
  async putConfig(
    @Param('name') name: string,
    @Body() body: unknown,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const { isNew, info } = await this.#herder.putConfig(name, parseConfigBody(body))
    reply.status(isNew ? 201 : 200)
    if (isNew) reply.header('Location', `/connectors/${encodeURIComponent(name)}`)
    return info
  }

  @Patch(':name/config')
  patchConfig(@Param('name') name: string, @Body() body: unknown) {
    return this.#herder.patchConfig(name, parseConfigBody(body))
  }

  @Get(':name/status')
  status(@Param('name') name: string) {
    return this.#herder.views.state(name)
  }

  @Put(':name/pause')
  @HttpCode(202)
  async pause(@Param('name') name: string): Promise<void> {
    await this.#herder.setTargetState(name, 'PAUSED')
  }

  @Put(':name/resume')
  @HttpCode(202)
  async resume(@Param('name') name: string): Promise<void> {
    await this.#herder.setTargetState(name, 'STARTED')
  }

  @Put(':name/stop')
  @HttpCode(204)
  async stop(@Param('name') name: string): Promise<void> {
    await this.#herder.setTargetState(name, 'STOPPED')
  }

  /** 204 without flags; with one of them 202 and the state, as Connect has it. */
  @Post(':name/restart')
  async restart(
    @Param('name') name: string,
    @Query('includeTasks') includeTasks: string | undefined,
    @Query('onlyFailed') onlyFailed: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const options = { includeTasks: includeTasks === 'true', onlyFailed: onlyFailed === 'true' }
    const state = await this.#herder.restart(name, options)
    const hasFlag = options.includeTasks || options.onlyFailed
    reply.status(hasFlag ? 202 : 204)
    return hasFlag ? state : undefined
  }

  @Get(':name/offsets')
  offsets(@Param('name') name: string) {
    return this.#herder.offsets(name)
  }

  @Get(':name/topics')
  topics(@Param('name') name: string) {
    return { [name]: { topics: this.#herder.activeTopics(name) } }
  }

  @Put(':name/topics/reset')
  @HttpCode(202)
  resetTopics(@Param('name') name: string): void {
    this.#herder.resetActiveTopics(name)
  }
}
