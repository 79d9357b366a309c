/** Push: what the routes want at Google, what is there when somebody asks, and what was delivered. */
import { signal } from "@preact/signals";
import { useData } from "../api/cache";
import { send, withQuery } from "../api/client";
import type { Problem } from "../api/problem";
import type { PushDeliveries, PushPlace, PushPlan, PushWanted } from "../api/types";
import { isWork, rowsOf } from "../logic/push";
import { CopyLine } from "../parts/copy";
import { Choice } from "../parts/menu";
import { Empty, Loaded, Page, Refusal, Section } from "../parts/page";
import { When } from "../parts/when";
import { params, setParams } from "../place";
import { mayOperate } from "../session";
import { tell } from "../shell/toasts";
import { Deliveries } from "./push/deliveries";
import { Figures, Obstacles, Resources } from "./push/resources";

const SENDERS = ["all", "let in", "refused"] as const;

/** What Google has said, and when: it stays while somebody looks at other screens. */
const asked = signal<{ plan: PushPlan; at: string } | undefined>(undefined);
const refusal = signal<Problem | undefined>(undefined);
const asking = signal(false);

/** The screen. */
export default function Push() {
	const wanted = useData<PushWanted>("push", { every: 30_000 });
	const given = params.value.get("sender");
	const sender = SENDERS.find((one) => one === given) ?? "all";
	const which = sender === "all" ? null : sender === "refused";
	const sent = useData<PushDeliveries>(withQuery("push/$deliveries", { refused: which }), {
		topics: ["jobs"],
		every: 3000,
	});
	const plan = asked.value?.plan;
	const place = wanted.data.value?.place;
	const isCarried = wanted.data.value?.carried;
	const isReady = isCarried && !wanted.data.value?.missing.length;
	return (
		<Page
			title="Push"
			beside={place && <Where place={place} />}
			actions={
				isReady &&
				mayOperate.value && (
					<>
						{asked.value && (
							<span class="quiet wide">
								asked <When at={asked.value.at} />
							</span>
						)}
						<button
							type="button"
							disabled={asking.value}
							aria-busy={asking.value}
							onClick={() => void ask(wanted.data.value)}
						>
							{asking.value ? "Asking…" : "Ask Google"}
						</button>
					</>
				)
			}
		>
			<div class="stack">
				{refusal.value && <Refusal problem={refusal.value} />}
				<Loaded of={wanted}>
					{(data) =>
						data.carried ? (
							<>
								<Figures wanted={data} plan={plan} />
								<Obstacles wanted={data} plan={plan} />
							</>
						) : (
							!sent.data.value?.items.length && <None />
						)
					}
				</Loaded>
				{(isCarried || !!sent.data.value?.items.length) && (
					<Section
						title="Deliveries"
						beside={
							<Choice
								label="Whose"
								of={SENDERS}
								value={sender}
								choose={(one) => setParams({ sender: one === "all" ? null : one })}
							/>
						}
					>
						<Loaded of={sent}>
							{(data) => <Deliveries data={data} refused={sender === "refused"} />}
						</Loaded>
					</Section>
				)}
				{isCarried && wanted.data.value && <Resources wanted={wanted.data.value} plan={plan} />}
			</div>
		</Page>
	);
}

function Where({ place }: { place: PushPlace }) {
	return (
		<span class="cut">
			{place.emulator ? `emulated at ${place.emulator}` : (place.project ?? "no project")}
			<span class="wide">, {place.owner}</span>
		</span>
	);
}

async function ask(wanted: PushWanted | undefined): Promise<void> {
	asking.value = true;
	refusal.value = undefined;
	try {
		const plan = await send<PushPlan>("POST", "push/$plan", {});
		asked.value = { plan, at: new Date().toISOString() };
		const rows = rowsOf(wanted?.resources ?? [], plan);
		const work = rows.filter(isWork).length;
		const unknown = rows.filter((one) => one.stands === "unknown").length;
		tell(
			[
				work ? `${work} of ${rows.length} resources are not as planned.` : "",
				unknown ? `${unknown} could not be looked at.` : "",
			]
				.filter(Boolean)
				.join(" ") || "Everything at Google is as planned.",
		);
	} catch (problem) {
		refusal.value = problem as Problem;
	} finally {
		asking.value = false;
	}
}

function None() {
	return (
		<Empty title="Nothing is pushed.">
			<p>
				Where no workers run, Google Pub/Sub calls this service for each job, and Cloud Scheduler
				fires the schedules. Say which tasks it is to deliver:
			</p>
			<CopyLine text="app.carry(PubSubCarrier([TaskRoute(send_welcome)]))" />
			<p>Then try all of it on your machine, with Google emulated:</p>
			<CopyLine text="rotulus dev --push module:app" />
		</Empty>
	);
}
