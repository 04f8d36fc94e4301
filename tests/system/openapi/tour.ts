// What an application does with tilld, by a client whose types come from the OpenAPI document.
import createClient from "openapi-fetch";
import type { components, paths } from "./tilld";

const [base, token] = process.argv.slice(2) as [string, string];
const tilld = createClient<paths>({
  baseUrl: base,
  headers: { Authorization: `Bearer ${token}` },
});

function must(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what);
}

const user = { path: { user_id: "ada" } };

const made = await tilld.PUT("/api/customers/{user_id}", {
  params: { ...user, header: { "Idempotency-Key": "ada-1" } },
  body: { email: "ada@example.com", metadata: { team: "blue" } },
});
must(made.data !== undefined && "outcome" in made.data, "a customer");
must(made.data.outcome === "created", "it is new");

const seen = await tilld.GET("/api/customers/{user_id}", { params: user });
const customer: components["schemas"]["Customer"] | undefined = seen.data;
must(customer?.email === "ada@example.com" && customer.plan === null, "what was written");

const entitled = await tilld.GET("/api/customers/{user_id}/entitlements", { params: user });
must(entitled.data?.active === false && entitled.data.features.length === 0, "nothing yet");

const orders = await tilld.GET("/api/orders", { params: { query: { status: "done", limit: 5 } } });
must(orders.data?.data.length === 1 && orders.data.data[0]!.path === "/v1/customers", "an order");
const order = await tilld.GET("/api/orders/{order}", {
  params: { path: { order: orders.data.data[0]!.id }, query: { wait: 1 } },
});
must(order.data?.answer?.status === 200, "Stripe's answer");

const unknown = await tilld.GET("/api/customers/{user_id}", {
  params: { path: { user_id: "nobody" } },
});
must(unknown.error?.error.code === "customer_unknown", "an error of its own type");

const gone = await tilld.DELETE("/api/customers/{user_id}", { params: user });
must(gone.data !== undefined && "outcome" in gone.data && gone.data.outcome === "deleted", "gone");
console.log("the tour is done");
