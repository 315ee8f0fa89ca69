/** The Worker, which tells with each answer what that cost: in the header `X-Usage`, as JSON. What it defers is not counted. */
import worker from "../../src/worker.ts";
import { Counter } from "../support/counting.ts";
import { watchBindings } from "../support/watched-bindings.ts";

export default {
  async fetch(request, env, execution) {
    const counter = new Counter();
    const answer = await worker.fetch(request, watchBindings(env, counter.watch), execution);
    const response = new Response(answer.body, answer);
    response.headers.set("X-Usage", JSON.stringify(counter.usage));
    return response;
  },
} satisfies ExportedHandler<Env>;
