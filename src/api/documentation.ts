/** The API described: OpenAPI 3.1 at /openapi.json, made of the routes' own schemas, and readable at /docs. */
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import { Type } from 'typebox';
import { type Server, UpscaleHeaders, UpscaleOptions } from './schemas.ts';

/** Bodies that Fastify hands on as streams have no schema of their own: the document is told of them here. */
const PHOTO_BODY = {
  required: true,
  content: {
    'multipart/form-data': {
      schema: {
        type: 'object',
        required: ['image'],
        properties: {
          image: { type: 'string', format: 'binary', description: 'The photo' },
          ...UpscaleOptions.properties,
        },
      },
    },
    'image/*': { schema: { type: 'string', format: 'binary' } },
  },
};

/** Describes every route that is added after it. */
export async function addDocumentation(server: Server, version: string): Promise<void> {
  await server.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Boardsharp',
        version,
        description:
          'Makes photos of boards readable. Errors are `application/problem+json` with a stable `code`.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/' }],
      tags: [
        { name: 'upscales', description: 'Photos on their way to readable pictures' },
        { name: 'rooms', description: 'People who share their readable boards' },
        { name: 'service', description: 'Models, health and metrics' },
      ],
      components: { securitySchemes: { key: { type: 'http', scheme: 'bearer' } } },
      // Where no keys are set, none is needed.
      security: [{ key: [] }, {}],
    },
    transformObject: (document) => {
      if (!('openapiObject' in document)) return document.swaggerObject;
      const post = document.openapiObject.paths?.['/v1/upscales']?.post;
      if (post !== undefined) Object.assign(post, { requestBody: PHOTO_BODY });
      for (const operation of guardedOperations(document.openapiObject.paths ?? {})) addUser(operation);
      return document.openapiObject;
    },
  });
  await server.register(swaggerUi, { routePrefix: '/docs', staticCSP: true, theme: { title: 'Boardsharp' } });
  server.get(
    '/openapi.json',
    { schema: { hide: true, response: { 200: Type.Any() } } },
    async (_request, reply) => reply.type('application/json').send(JSON.stringify(server.swagger())),
  );
}

interface Operation {
  parameters?: { name: string; in: string }[];
  security?: unknown[];
}

/** Those that are somebody's: all but the health checks and what a code opens. */
function guardedOperations(paths: object): Operation[] {
  return Object.entries(paths)
    .filter(([path]) => path.startsWith('/v1/'))
    .flatMap(([, operations]) => Object.values(operations as Record<string, Operation>))
    .filter(({ security }) => security?.length !== 0);
}

/** The header by which a service acts for one of its users. */
function addUser(operation: Operation): void {
  const { description } = UpscaleHeaders.properties['boardsharp-user'] as { description?: string };
  const known = operation.parameters?.some(({ name }) => name.toLowerCase() === 'boardsharp-user');
  if (known) return;
  const user = {
    name: 'boardsharp-user',
    in: 'header',
    required: false,
    description,
    schema: { type: 'string' },
  };
  operation.parameters = [...(operation.parameters ?? []), user];
}
