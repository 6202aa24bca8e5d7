import { DistributedHerder } from '@millrace/connect-runtime'
import { Controller, Get, HttpCode, Param, Post } from '@nestjs/common'
import { parseTaskId } from './bodies'

@Controller('connectors/:name/tasks')
export class TasksController {
  readonly #herder: DistributedHerder

  constructor(herder: DistributedHerder) {
    this.#herder = herder
  }

  @Get()
  list(@Param('name') name: string) {
    return this.#herder.views.tasks(name)
  }

  @Get(':task/status')
  status(@Param('name') name: string, @Param('task') task: string) {
    return this.#herder.views.taskState(name, parseTaskId(task))
  }

  @Post(':task/restart')
  @HttpCode(204)
  async restart(@Param('name') name: string, @Param('task') task: string): Promise<void> {
    await this.#herder.restartTask(name, parseTaskId(task))
  }
}
