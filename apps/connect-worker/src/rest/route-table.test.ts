import { RouteTable } from './route-table'

describe('RouteTable', () => {
  const routes = new RouteTable()
  routes.add('GET', '/connectors/')
  routes.add(['POST', 'GET'], '/connectors')
  routes.add('PUT', '/connectors/:name/config')

  it.each([
    ['/connectors', ['GET', 'POST']],
    ['/connectors/?expand=info', ['GET', 'POST']],
    ['/connectors/a%2Fb/config', ['PUT']],
    ['/connectors/a/b/config', []],
    ['/connectors/a/status', []],
    ['/', []],
  ])('names the methods of %s', (url, methods) => {
    expect(routes.methodsOf(url)).toEqual(methods)
  })
})
