/** Webhooks: who is told of what, and what became of each message. */
import { useData } from "../api/cache";
import type { Delivery, DeliveryPage, Webhook, Webhooks } from "../api/types";
import { hasEnded } from "../logic/states";
import { CopyLine } from "../parts/copy";
import { Empty, Loaded, Page, Section } from "../parts/page";
import { StateWord } from "../parts/state";
import { ACTIONS, right, Table } from "../parts/table";
import { When } from "../parts/when";
import { href } from "../place";
import { has } from "../session";
import { act } from "../shell/act";
import { pathOf } from "./webhooks/verbs";

const KEEPING = { topics: ["webhooks", "jobs"], every: 10_000 };

/** The screen. */
export default function WebhooksScreen() {
	const isAdmin = has("admin");
	const hooks = useData<Webhooks>(isAdmin ? "webhooks" : null, KEEPING);
	const sent = useData<DeliveryPage>(isAdmin ? "webhooks/$deliveries?limit=50" : null, KEEPING);
	if (!isAdmin)
		return (
			<Page title="Webhooks">
				<Empty title="Webhooks are for admins.">
					<p>They tell other programs of what happens here.</p>
				</Empty>
			</Page>
		);
	return (
		<Page
			title="Webhooks"
			beside={hooks.data.value?.items.length}
			actions={
				<a class="button main" href={href("webhooks/$new")}>
					Add a webhook
				</a>
			}
		>
			<Loaded of={hooks}>
				{(data) =>
					data.items.length ? (
						<div class="stack">
							<Table heads={HOOKS}>
								{data.items.map((one) => (
									<Row key={one.name} hook={one} />
								))}
							</Table>
							<Section title="Deliveries">
								<Loaded of={sent}>{(page) => <Deliveries items={page.items} />}</Loaded>
							</Section>
						</div>
					) : (
						<None />
					)
				}
			</Loaded>
		</Page>
	);
}

const HOOKS = ["Webhook", "Is told of", "Stands", ACTIONS];

function Row({ hook }: { hook: Webhook }) {
	return (
		<tr class={hook.paused_at ? "tall is-paused" : "tall"}>
			<th scope="row">
				<span class="cut strong">{hook.name}</span>
				<span class="cut quiet second-line" title={hook.url}>
					{hook.url}
				</span>
			</th>
			<td>
				{hook.events.join(", ")}
				{hook.task && <span class="quiet"> of {hook.task}</span>}
				{hook.queue && <span class="quiet"> in {hook.queue}</span>}
			</td>
			<td data-name="is">
				{hook.paused_at ? (
					<span class="tag">
						{hook.state} <When at={hook.paused_at} />
					</span>
				) : (
					hook.state
				)}
				{hook.missed_at && <span class="bad-text"> has missed some</span>}
			</td>
			<td class="right act">
				<span class="buttons">
					<a class="button" href={href(`${pathOf(hook.name)}/edit`)}>
						Change
					</a>
					<button type="button" onClick={() => void steer(hook, "test")}>
						Send a test
					</button>
					<button
						type="button"
						onClick={() => void steer(hook, hook.paused_at ? "resume" : "pause")}
					>
						{hook.paused_at ? "Resume" : "Pause"}
					</button>
				</span>
			</td>
		</tr>
	);
}

const SAID = {
	test: "is sent a message.",
	pause: "is told of nothing until it is resumed.",
	resume: "is told again of what happens from now on.",
};

async function steer(hook: Webhook, verb: keyof typeof SAID): Promise<void> {
	await act({
		path: `${pathOf(hook.name)}/$${verb}`,
		says: `${hook.name} ${SAID[verb]}`,
		topics: ["webhooks", "jobs"],
	});
}

const DELIVERIES = [
	"Event",
	"To",
	"Stands",
	right("Answer"),
	right("Tries"),
	right("When"),
	ACTIONS,
];

function Deliveries({ items }: { items: readonly Delivery[] }) {
	if (!items.length) return <p class="quiet pad">Nothing was sent so far.</p>;
	return (
		<Table heads={DELIVERIES} isCard={false}>
			{items.map((one) => (
				<tr key={one.id}>
					<th scope="row">
						{one.subject ? <a href={href(`jobs/${one.subject}`)}>{one.event}</a> : one.event}
					</th>
					<td data-name="to">{one.webhook}</td>
					<td>
						<span title={one.error ?? undefined}>
							<StateWord state={one.state} />
						</span>
					</td>
					<td class="right number" data-name="answer">
						{one.status ?? <span class="quiet">–</span>}
					</td>
					<td class="right number" data-name="tries">
						{one.tries}
					</td>
					<td class="right" data-name="at">
						<When at={one.created_at} />
					</td>
					<td class="right act">
						{hasEnded(one.state) && (
							<button type="button" onClick={() => void replay(one)}>
								Send again
							</button>
						)}
					</td>
				</tr>
			))}
		</Table>
	);
}

async function replay(delivery: Delivery): Promise<void> {
	await act({
		path: `webhooks/$deliveries/${delivery.id}/$replay`,
		asks: {
			title: `Send ${delivery.event} to ${delivery.webhook} again?`,
			says: "The message has the same id, so a receiver that has it can tell.",
			verb: "Send it again",
		},
		says: "It is sent again.",
		topics: ["jobs"],
	});
}

function None() {
	return (
		<Empty title="Nobody is told of anything.">
			<p>A webhook is an address that gets a signed message when a job or a run has ended.</p>
			<CopyLine text="rotulus webhook add chat URL --event job.failed" />
		</Empty>
	);
}
