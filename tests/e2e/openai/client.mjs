// SPDX-FileCopyrightText: The Veil authors
// SPDX-License-Identifier: Apache-2.0
//
// Uses the official client as an application would, and prints one JSON line per scenario: {name, error?}. The models of each scenario
// come from tests/e2e/test_openai.py, which prepares the other side.
import assert from 'node:assert/strict'
import OpenAI from 'openai'

const { baseURL, models, noEnclaveURL, keyedURL, arrivedURL } = JSON.parse(process.argv[2])
const options = { baseURL, apiKey: 'unused', maxRetries: 0, timeout: 60_000 }
const client = new OpenAI(options)
const user = (content) => [{ role: 'user', content }]
const weather = {
  type: 'function',
  function: { name: 'get_weather', description: 'Weather of a city', parameters: { type: 'object', properties: { city: { type: 'string' } } } },
}

async function collect(stream) {
  const chunks = []
  for await (const chunk of stream) chunks.push(chunk)
  return chunks
}

const textOf = (chunks) => chunks.map((chunk) => chunk.choices[0]?.delta?.content ?? '').join('')

function callsOf(chunks) {
  const calls = []
  for (const part of chunks.flatMap((chunk) => chunk.choices[0]?.delta?.tool_calls ?? [])) {
    calls[part.index] ??= { id: '', type: 'function', function: { name: '', arguments: '' } }
    if (part.id) calls[part.index].id = part.id
    if (part.function?.name) calls[part.index].function.name = part.function.name
    calls[part.index].function.arguments += part.function?.arguments ?? ''
  }
  return calls
}

async function secondRound(calls, stream) {
  assert.equal(calls.length >= 1, true)
  const messages = [...user('weather?'), { role: 'assistant', content: null, tool_calls: calls }]
  for (const call of calls) messages.push({ role: 'tool', tool_call_id: call.id, content: '21 degrees' })
  const body = { model: models.tools, messages, tools: [weather] }
  if (stream) assert.notEqual(textOf(await collect(await client.chat.completions.create({ ...body, stream }))), '')
  else assert.notEqual((await client.chat.completions.create(body)).choices[0].message.content, '')
}

async function refused(promise, kind, status) {
  const error = await promise.then(() => assert.fail('the request succeeded'), (e) => e)
  assert.ok(error instanceof kind, `${error?.constructor?.name} instead of ${kind.name}: ${error?.message}`)
  assert.ok(error instanceof OpenAI.APIError)
  assert.equal(error.status, status)
  assert.equal(typeof error.error.message, 'string')
  assert.ok(error.type, 'the error has no type')
  return error
}

const ask = (model, extra = {}) => client.chat.completions.create({ model, messages: user('Hello!'), ...extra })

const scenarios = {
  async completion() {
    const { data, response } = await client.chat.completions.create({ model: models.echo, messages: user('Grüße, 世界 🙂') }).withResponse()
    assert.equal(response.headers.get('x-opengradient-verified'), 'true')
    assert.equal(data.object, 'chat.completion')
    assert.equal(data.choices[0].finish_reason, 'stop')
    assert.ok(data.choices[0].message.content.includes('Grüße, 世界 🙂'))
    assert.equal(data.opengradient_verification.verified, true)
  },
  async stream() {
    const stream = await ask(models.echo, { stream: true, stream_options: { include_usage: true } })
    const chunks = await collect(stream)
    assert.ok(textOf(chunks).includes('Hello!'))
    assert.ok(chunks.every((chunk) => chunk.object === 'chat.completion.chunk'))
    assert.deepEqual(chunks.at(-1).choices, [])
    assert.equal(chunks.at(-1).opengradient_verification.verified, true)
    assert.equal(chunks.filter((chunk) => chunk.choices[0]?.finish_reason).length, 1)
    assert.ok(chunks.some((chunk) => chunk.usage?.total_tokens > 0))
  },
  async 'stream helper'() {
    const runner = client.chat.completions.stream({ model: models.echo, messages: user('Hello!') })
    let text = ''
    runner.on('content', (delta) => (text += delta))
    const final = await runner.finalChatCompletion()
    assert.equal(final.choices[0].message.content, text)
    assert.ok(text.includes('Hello!'))
  },
  async 'tool calls'() {
    const { choices } = await client.chat.completions.create({ model: models.tools, messages: user('weather?'), tools: [weather], tool_choice: 'auto' })
    assert.equal(choices[0].finish_reason, 'tool_calls')
    assert.equal(choices[0].message.content, null)
    assert.equal(choices[0].message.tool_calls[0].function.name, 'get_weather')
    JSON.parse(choices[0].message.tool_calls[0].function.arguments)
    await secondRound(choices[0].message.tool_calls, false)
  },
  async 'tool calls in a stream'() {
    const body = { model: models.tools, messages: user('weather?'), tools: [weather], stream: true }
    const chunks = await collect(await client.chat.completions.create(body))
    const calls = callsOf(chunks)
    assert.equal(calls[0].function.name, 'get_weather')
    JSON.parse(calls[0].function.arguments)
    assert.equal(chunks.map((chunk) => chunk.choices[0]?.finish_reason).filter(Boolean)[0], 'tool_calls')
    await secondRound(calls, true)
  },
  async 'tool runner'() {
    for (const stream of [false, true]) {
      let asked
      const tool = { type: 'function', function: { ...weather.function, parse: JSON.parse, function: (args) => { asked = args; return '21 degrees' } } }
      const runner = client.chat.completions.runTools({ model: models.tools, messages: user('weather?'), tools: [tool], stream })
      assert.notEqual(await runner.finalContent(), '')
      assert.equal(typeof asked, 'object')
    }
  },
  async 'response_format'() {
    const schema = { type: 'object', properties: { answer: { type: 'integer' } }, required: ['answer'], additionalProperties: false }
    const response_format = { type: 'json_schema', json_schema: { name: 'answer', strict: true, schema } }
    const plain = await ask(models.json, { response_format })
    assert.equal(plain.opengradient_verification.verified, true)
    assert.equal((await ask(models.json, { response_format: { type: 'json_object' } })).opengradient_verification.verified, true)
    if (models.parse) assert.deepEqual((await client.chat.completions.parse({ model: models.parse, messages: user('x'), response_format })).choices[0].message.parsed, { answer: 42 })
  },
  async 'vision parts'() {
    const content = [
      { type: 'text', text: 'What is in this picture?' },
      { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=', detail: 'low' } },
    ]
    const { choices } = await client.chat.completions.create({ model: models.echo, messages: user(content) })
    assert.ok(choices[0].message.content.includes('What is in this picture?'))
  },
  async 'other roles'() {
    const messages = [{ role: 'developer', content: 'Be brief.' }, { role: 'system', content: 'Be kind.' }, ...user('Hi'), { role: 'assistant', content: 'Hello.' }, ...user('Bye')]
    const body = { model: models.echo, messages, temperature: 0.7, max_completion_tokens: 100, stop: ['END'], user: 'someone', seed: 7 }
    const answer = await client.chat.completions.create(body)
    assert.deepEqual([...answer.opengradient_verification.dropped].filter((name) => name !== 'max_completion_tokens').sort(), ['seed', 'user'])
  },
  async 'models'() {
    const ids = []
    for await (const model of client.models.list()) {
      assert.equal(model.object, 'model')
      assert.equal(typeof model.created, 'number')
      assert.equal(typeof model.owned_by, 'string')
      ids.push(model.id)
    }
    assert.ok(ids.includes('gpt-4.1'))
    assert.equal((await client.models.retrieve('gpt-4.1')).id, 'gpt-4.1')
    await refused(client.models.retrieve('no-such-model'), OpenAI.NotFoundError, 404)
  },
  async 'aborted stream'() {
    const controller = new AbortController()
    const pending = client.chat.completions.create({ model: models.abort, messages: user('x'), stream: true }, { signal: controller.signal })
    // Answers once the other side has the request.
    fetch(arrivedURL).then(() => controller.abort())
    const error = await pending.then(() => assert.fail('there was an answer'), (e) => e)
    assert.ok(error instanceof OpenAI.APIUserAbortError, String(error))
  },
  async 'aborted while streaming'() {
    const stream = await ask(models.echo, { stream: true })
    for await (const chunk of stream) {
      assert.ok(chunk.choices)
      stream.controller.abort()
      break
    }
    assert.ok((await ask(models.echo)).choices[0].message.content)
  },
  async 'error 400'() {
    const error = await refused(client.chat.completions.create({ model: models.echo, messages: [{ role: 'nobody', content: 'x' }] }), OpenAI.BadRequestError, 400)
    assert.equal(error.type, 'invalid_request_error')
    assert.equal(error.param, 'messages[0].role')
    await refused(client.chat.completions.create({ model: models.echo, messages: [] }), OpenAI.BadRequestError, 400)
    await refused(client.chat.completions.create({ messages: user('x') }), OpenAI.BadRequestError, 400)
  },
  async 'error 401'() {
    await refused(ask(models.e401), OpenAI.AuthenticationError, 401)
    await refused(ask(models.e401, { stream: true }), OpenAI.AuthenticationError, 401)
    const keyed = { ...options, baseURL: keyedURL }
    const call = (apiKey) => new OpenAI({ ...keyed, apiKey }).chat.completions.create({ model: models.echo, messages: user('x') })
    await refused(call('wrong'), OpenAI.AuthenticationError, 401)
    assert.ok((await call('right-key')).choices.length)
  },
  async 'error 402'() {
    await refused(ask(models.e402), OpenAI.APIError, 402)
  },
  async 'error 413'() {
    await refused(client.chat.completions.create({ model: models.echo, messages: user('x'.repeat(21 * 1024 * 1024)) }), OpenAI.APIError, 413)
    await refused(ask(models.e413), OpenAI.APIError, 413)
  },
  async 'error 429'() {
    const error = await refused(ask(models.e429), OpenAI.RateLimitError, 429)
    assert.equal(error.headers.get('retry-after'), '7')
    await refused(ask(models.e429, { stream: true }), OpenAI.RateLimitError, 429)
  },
  async 'error 502'() {
    for (const stream of [false, true]) {
      const error = await refused(ask(models.e502, { stream }), OpenAI.InternalServerError, 502)
      assert.equal(error.code, 'verification_failed')
      assert.equal(error.error.check, 'signature')
    }
  },
  async 'error 503'() {
    const nowhere = new OpenAI({ ...options, baseURL: noEnclaveURL })
    for (const stream of [false, true])
      await refused(nowhere.chat.completions.create({ model: models.echo, messages: user('x'), stream }), OpenAI.InternalServerError, 503)
  },
  async 'error 404'() {
    await refused(client.embeddings.create({ model: 'x', input: 'y' }), OpenAI.NotFoundError, 404)
  },
  async 'many at once'() {
    const answers = await Promise.all(Array.from({ length: 20 }, async (_, i) => {
      const stream = i % 2 === 0
      const answer = await ask(models.echo, { stream, messages: user(`number ${i}!`) })
      return stream ? textOf(await collect(answer)) : answer.choices[0].message.content
    }))
    answers.forEach((answer, i) => assert.ok(answer.includes(`number ${i}!`)))
  },
}

if (process.argv[3] === '--list') console.log(JSON.stringify(Object.keys(scenarios)))
else
  for (const [name, scenario] of Object.entries(scenarios)) {
    let error
    try {
      await scenario()
    } catch (e) {
      error = e?.stack ?? String(e)
    }
    console.log(JSON.stringify({ name, error }))
  }
