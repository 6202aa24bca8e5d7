import { string, transform } from '@millrace/connect-api'
import { compileJavaRegex, javaReplacement } from './java-regex'

/** Renames topics: where the whole name matches `regex`, it becomes `replacement`. */
export const RegexRouter = transform({
  name: 'regex-router',
  classNames: ['org.apache.kafka.connect.transforms.RegexRouter'],
  version: '0.1.0',
  doc: 'Renames the topic of records whose topic matches a regular expression.',
  options: {
    regex: string('regex', {
      importance: 'HIGH',
      doc: 'A regular expression that must match the whole topic name.',
      check: (text) => {
        try {
          compileJavaRegex(text)
          return null
        } catch (error) {
          return `a regular expression: ${(error as Error).message}`
        }
      },
    }),
    replacement: string('replacement', {
      importance: 'HIGH',
      doc: 'The new name; $1 or ${name} stand for groups.',
    }),
  },
  create: ({ regex, replacement }) => {
    const pattern = compileJavaRegex(regex)
    const template = javaReplacement(replacement)
    return (record) => {
      if (!pattern.test(record.topic)) return record
      const topic = record.topic.replace(pattern, template)
      return topic === record.topic ? record : (record.with({ topic }) as typeof record)
    }
  },
})
