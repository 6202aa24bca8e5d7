import { builtInPlugins } from './built-in-plugins'

describe('built-in plugins', () => {
  it.each(builtInPlugins.connectors.map((entry) => [entry.name, entry] as const))(
    'are described as their package has them: %s',
    async (_, entry) => {
      const { name, classNames, type, version } = await entry.load()
      expect({ name, classNames, type, version }).toEqual({ ...entry, load: undefined })
    },
  )
})
