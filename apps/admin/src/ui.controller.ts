import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Controller, Get, Header } from '@nestjs/common'

const PAGE_PATH = join(dirname(require.resolve('@millrace/admin/package.json')), 'ui', 'page.html')

/** The page over the API: one file, no build, nothing from elsewhere. */
@Controller()
export class UiController {
  readonly #page = readFileSync(PAGE_PATH, 'utf8')

  @Get()
  @Header('content-type', 'text/html; charset=utf-8')
  page(): string {
    return this.#page
  }

  @Get('favicon.svg')
  @Header('content-type', 'image/svg+xml')
  icon(): string {
    return ICON
  }
}

const ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#0f5e6b"/>' +
  '<path d="M4 12c4-4 8 4 12 0s8 4 12 0M4 20c4-4 8 4 12 0s8 4 12 0" fill="none" stroke="#fff" stroke-width="2.5"/></svg>'
