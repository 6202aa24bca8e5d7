import type { ValidatedKey, Validation } from '@millrace/connect-runtime'

/** A row of a configuration definition as Connect's REST gives it. */
export function keyInfo({ name, group, orderInGroup, definition }: ValidatedKey) {
  const isRequired = definition.default === undefined
  const hasDefault = !isRequired && definition.default !== null
  return {
    name,
    type: definition.type,
    required: isRequired,
    default_value: hasDefault ? definition.format(definition.default) : null,
    importance: definition.importance,
    documentation: definition.doc,
    group,
    order_in_group: orderInGroup,
    width: 'MEDIUM',
    display_name: name,
    dependents: [],
  }
}

/** The answer to `config/validate`, with the plugin as it was asked for. */
export function configInfos(plugin: string, validation: Validation) {
  return {
    name: plugin,
    error_count: validation.keys.filter((key) => key.errors.length > 0).length,
    groups: validation.groups,
    configs: validation.keys.map((key) => ({
      definition: keyInfo(key),
      value: {
        name: key.name,
        value: key.value,
        recommended_values: key.definition.oneOf ?? [],
        errors: key.errors,
        visible: true,
      },
    })),
  }
}
