import {
  boolean,
  double,
  formatProblems,
  int,
  list,
  long,
  oneOf,
  Password,
  parseConfig,
  parsePropertiesFile,
  password,
  string,
} from './index'

const definition = {
  host: string('host', { doc: 'Host to connect to.' }),
  port: int('port', { default: 5432, min: 1, max: 65535, doc: 'Port.' }),
  mode: oneOf('mode', ['initial', 'never'], { default: 'initial', doc: 'Mode.' }),
  secret: password('secret', { default: null, doc: 'Password.' }),
  tables: list('tables', { default: [], doc: 'Tables.', aliases: ['table.whitelist'] }),
  limit: long('limit', { default: Number.POSITIVE_INFINITY, doc: 'Limit.' }),
  isFast: boolean('fast', { default: false, doc: 'Fast.' }),
  ratio: double('ratio', { default: 0.5, min: 0, max: 1, doc: 'Ratio.' }),
}

describe('parseConfig', () => {
  it('gives typed values and defaults, and accepts aliases', () => {
    const { config, problems } = parseConfig(definition, {
      host: 'db',
      'table.whitelist': 'a, b',
      limit: '9223372036854775807',
      fast: 'TRUE',
    })
    expect(problems).toEqual([])
    expect(config).toMatchObject({
      host: 'db',
      port: 5432,
      tables: ['a', 'b'],
      limit: Infinity,
      isFast: true,
    })
  })

  it('reports every problem at once, with key, given value and what was expected', () => {
    const { problems } = parseConfig(definition, {
      port: '70000',
      mode: 'x',
      ratio: 'half',
      limit: '1.5',
    })
    expect(formatProblems(problems)).toBe(
      [
        'host is required (Host to connect to.)',
        'port=70000 is not valid: expected at most 65535',
        'mode=x is not valid: expected one of initial, never',
        'limit=1.5 is not valid: expected a whole number',
        'ratio=half is not valid: expected a number',
      ].join('\n'),
    )
  })

  it('names unknown keys', () => {
    expect(parseConfig(definition, { host: 'x', hots: 'y' }).unknown).toEqual(['hots'])
  })

  it('hides a password wherever it may be printed', () => {
    const { config } = parseConfig(definition, { host: 'x', secret: 'hunter2' })
    expect(config.secret).toBeInstanceOf(Password)
    expect(String(config.secret) + JSON.stringify(config)).not.toContain('hunter2')
    expect(config.secret?.reveal()).toBe('hunter2')
  })
})

describe('parsePropertiesFile', () => {
  it('reads what Java reads', () => {
    const text = [
      '# comment',
      '! another',
      '',
      'a=1',
      ' b : two words ',
      'c three',
      'long=first,\\',
      '   second',
      'esc\\=aped=x\\ty\\u00e9',
      'path=C:\\\\dir',
      'empty=',
      'a=2',
    ].join('\n')
    expect(parsePropertiesFile(text)).toEqual({
      a: '2',
      b: 'two words ',
      c: 'three',
      long: 'first,second',
      'esc=aped': 'x\tyé',
      path: 'C:\\dir',
      empty: '',
    })
  })
})
