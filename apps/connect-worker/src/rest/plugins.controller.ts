import {
  connectErrors,
  describeConnector,
  describeDefinition,
  DistributedHerder,
  PluginRegistry,
} from '@millrace/connect-runtime'
import { Body, Controller, Get, Param, Put, Query } from '@nestjs/common'
import { parseConfigBody } from './bodies'
import { configInfos, keyInfo } from './config-infos'

@Controller('connector-plugins')
export class PluginsController {
  readonly #herder: DistributedHerder
  readonly #registry: PluginRegistry

  constructor(herder: DistributedHerder, registry: PluginRegistry) {
    this.#herder = herder
    this.#registry = registry
  }

  @Get()
  list(@Query('connectorsOnly') connectorsOnly?: string) {
    return this.#registry.list(connectorsOnly !== 'false')
  }

  @Get(':plugin/config')
  async config(@Param('plugin') plugin: string) {
    const isConnector = this.#registry.connectorEntry(plugin) !== undefined
    const keys = isConnector
      ? describeConnector(await this.#registry.connector(plugin))
      : describeDefinition(await this.#registry.optionsOf(plugin))
    return keys.map(keyInfo)
  }

  /** 200 also if there are errors: they are the answer. */
  @Put(':plugin/config/validate')
  async validate(@Param('plugin') plugin: string, @Body() body: unknown) {
    const config = parseConfigBody(body)
    this.#checkSamePlugin(plugin, config['connector.class'])
    return configInfos(config['connector.class'] || plugin, await this.#herder.validate(config))
  }

  #checkSamePlugin(plugin: string, className: string | null | undefined): void {
    const asked = this.#registry.connectorEntry(plugin)
    if (asked === undefined)
      throw connectErrors.create('CONNECT_PLUGIN_NOT_FOUND', { name: plugin })
    if (!className || this.#registry.connectorEntry(className) === asked) return
    const reason = `connector.class=${className} is another plugin than the ${plugin} of the path`
    throw connectErrors.create('CONNECT_BAD_REQUEST', { reason })
  }
}
