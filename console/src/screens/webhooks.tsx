/** Webhooks: who is told of what, and what became of each message. */
import { invalidate, useData } from "../api/cache";
import { send } from "../api/client";
import type { Delivery, DeliveryPage, Webhook, Webhooks } from "../api/types";
import { hasEnded } from "../logic/states";
import { CopyLine } from "../parts/copy";
import { Empty, Loaded, Page, Section } from "../parts/page";
import { StateWord } from "../parts/state";
import { When } from "../parts/when";
import { href } from "../place";
import { has } from "../session";
import { confirm } from "../shell/confirm";
import { tell, tellProblem } from "../shell/toasts";

const KEEPING = { topics: ["jobs"], every: 10_000 };

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
		<Page title="Webhooks" beside={hooks.data.value?.items.length}>
			<Loaded of={hooks}>
				{(data) =>
					data.items.length ? (
						<div class="stack">
							<div class="table-box card">
								<Table hooks={data.items} />
							</div>
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

function Table({ hooks }: { hooks: readonly Webhook[] }) {
	return (
		<table class="table">
			<thead>
				<tr>
					<th scope="col">Webhook</th>
					<th scope="col">Is told of</th>
					<th scope="col">Stands</th>
					<th scope="col">
						<span class="unseen">Actions</span>
					</th>
				</tr>
			</thead>
			<tbody>
				{hooks.map((one) => (
					<tr key={one.name} class={one.paused_at ? "tall is-paused" : "tall"}>
						<th scope="row">
							<span class="cut strong">{one.name}</span>
							<span class="cut quiet second-line" title={one.url}>
								{one.url}
							</span>
						</th>
						<td>
							{one.events.join(", ")}
							{one.task && <span class="quiet"> of {one.task}</span>}
							{one.queue && <span class="quiet"> in {one.queue}</span>}
						</td>
						<td data-name="is">
							{one.paused_at ? (
								<span class="tag">
									{one.state} <When at={one.paused_at} />
								</span>
							) : (
								one.state
							)}
							{one.missed_at && <span class="bad-text"> has missed some</span>}
						</td>
						<td class="right act">
							<span class="buttons">
								<button type="button" onClick={() => void act(one, "test")}>
									Send a test
								</button>
								<button
									type="button"
									onClick={() => void act(one, one.paused_at ? "resume" : "pause")}
								>
									{one.paused_at ? "Resume" : "Pause"}
								</button>
							</span>
						</td>
					</tr>
				))}
			</tbody>
		</table>
	);
}

const SAID = {
	test: "is sent a message.",
	pause: "is told of nothing until it is resumed.",
	resume: "is told again of what happens from now on.",
};

async function act(hook: Webhook, verb: keyof typeof SAID): Promise<void> {
	try {
		await send("POST", `webhooks/${encodeURIComponent(hook.name)}/$${verb}`);
		tell(`${hook.name} ${SAID[verb]}`);
		invalidate(new Set(["jobs"]));
	} catch (problem) {
		tellProblem(problem);
	}
}

function Deliveries({ items }: { items: readonly Delivery[] }) {
	if (!items.length) return <p class="quiet pad">Nothing was sent so far.</p>;
	return (
		<div class="table-box">
			<table class="table">
				<thead>
					<tr>
						<th scope="col">Event</th>
						<th scope="col">To</th>
						<th scope="col">Stands</th>
						<th scope="col" class="right">
							Answer
						</th>
						<th scope="col" class="right">
							Tries
						</th>
						<th scope="col" class="right">
							When
						</th>
						<th scope="col">
							<span class="unseen">Actions</span>
						</th>
					</tr>
				</thead>
				<tbody>
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
				</tbody>
			</table>
		</div>
	);
}

async function replay(delivery: Delivery): Promise<void> {
	const go = await confirm({
		title: `Send ${delivery.event} to ${delivery.webhook} again?`,
		says: "The message has the same id, so a receiver that has it can tell.",
		verb: "Send it again",
	});
	if (!go) return;
	try {
		await send("POST", `webhooks/$deliveries/${delivery.id}/$replay`);
		tell("It is sent again.");
		invalidate(new Set(["jobs"]));
	} catch (problem) {
		tellProblem(problem);
	}
}

function None() {
	return (
		<Empty title="Nobody is told of anything.">
			<p>A webhook is an address that gets a signed message when a job or a run has ended.</p>
			<CopyLine text="rotulus webhook add chat URL --event job.failed" />
		</Empty>
	);
}
