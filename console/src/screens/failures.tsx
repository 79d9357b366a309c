/** Failures: what is broken, by its cause. */
import { useSignal } from "@preact/signals";
import { invalidate, useData } from "../api/cache";
import { send, withQuery } from "../api/client";
import type { Changed, FailureGroup, FailureGroups } from "../api/types";
import { count } from "../logic/lengths";
import { CopyLine } from "../parts/copy";
import { Groups } from "../parts/groups";
import { Choice } from "../parts/menu";
import { Empty, Loaded, Page } from "../parts/page";
import { StateMark } from "../parts/state";
import { When } from "../parts/when";
import { href, params, setParams } from "../place";
import { mayOperate } from "../session";
import { confirm } from "../shell/confirm";
import { tell, tellProblem } from "../shell/toasts";
import { MuteDialog, Muted, unmute } from "./failures/mute";

const SPANS = { "1 h": 3600, "24 h": 86_400, "7 d": 604_800, all: 0 } as const;
type Span = keyof typeof SPANS;

/** The screen. */
export default function Failures() {
	const given = params.value.get("span") ?? "";
	const span: Span = given in SPANS ? (given as Span) : "7 d";
	const task = params.value.get("task") ?? "";
	const muted = params.value.get("muted") === "1";
	// A cause that is muted is looked for whenever it was seen.
	const since = (!muted && SPANS[span]) || null;
	const path = withQuery("failures", { since, task, muted, limit: 100 });
	const groups = useData<FailureGroups>(path, { topics: ["failures"] });
	const items = groups.data.value?.items;
	return (
		<Page
			title="Failures"
			beside={items && count(items.length, items.length < 100)}
			actions={
				<>
					<Choice
						label="Which failures"
						of={["news", "muted"]}
						value={muted ? "muted" : "news"}
						choose={(one) => setParams({ muted: one === "muted" ? "1" : null })}
					/>
					{!muted && (
						<Choice
							label="Span of time"
							of={Object.keys(SPANS) as Span[]}
							value={span}
							choose={(one) => setParams({ span: one === "7 d" ? null : one })}
						/>
					)}
				</>
			}
		>
			<Loaded of={groups}>
				{(data) =>
					data.items.length ? (
						<List key={path} groups={data.items} />
					) : (
						<None narrow={!!task || span !== "all"} muted={muted} />
					)
				}
			</Loaded>
		</Page>
	);
}

function List({ groups }: { groups: readonly FailureGroup[] }) {
	const open = params.value.get("open");
	return (
		<Groups of={groups} idOf={(one) => one.fingerprint}>
			{(one, anew) => (
				<Group key={one.fingerprint} group={one} isOpen={one.fingerprint === open} changed={anew} />
			)}
		</Groups>
	);
}

interface GroupProps {
	group: FailureGroup;
	isOpen: boolean;
	changed: () => void;
}

function Group({ group, isOpen, changed }: GroupProps) {
	const name = `${group.error.type} ${group.fingerprint}`;
	const query = `fingerprint:${group.fingerprint}`;
	const asks = useSignal(false);
	return (
		<li class={isOpen ? "group open" : "group"}>
			<StateMark state="failed" />
			<div class="group-text">
				<a class="strong cut" href={href("jobs", { q: query })} title={group.error.type}>
					{group.error.type}
				</a>
				<p class="message" title={group.error.message}>
					{group.error.message}
				</p>
				<p class="quiet">
					{group.tasks.map((name) => (
						<a key={name} href={href("jobs", { q: `task:${name} ${query}` })}>
							{name}
						</a>
					))}
					<a href={href(`jobs/${group.example}`)}>last example</a>
					<code>{group.fingerprint}</code>
				</p>
				{group.mute && <Muted mute={group.mute} />}
			</div>
			<div class="group-times quiet">
				<span>
					last <When at={group.last_seen} />
				</span>
				<span>
					first <When at={group.first_seen} />
				</span>
			</div>
			<a class="group-count number" href={href("jobs", { q: query })}>
				{count(group.count, group.exact)}
			</a>
			{mayOperate.value && (
				<div class="group-actions">
					<button
						type="button"
						aria-label={`Retry all ${name}`}
						onClick={() => void act(group, "retry").then((done) => done && changed())}
					>
						Retry all
					</button>
					{group.mute ? (
						<button
							type="button"
							aria-label={`Unmute ${name}`}
							onClick={() => {
								unmute(group.fingerprint);
								changed();
							}}
						>
							Unmute
						</button>
					) : (
						<button
							type="button"
							aria-label={`Mute… ${name}`}
							onClick={() => {
								asks.value = true;
							}}
						>
							Mute…
						</button>
					)}
				</div>
			)}
			{asks.value && (
				<MuteDialog
					group={group}
					close={() => {
						asks.value = false;
						changed();
					}}
				/>
			)}
		</li>
	);
}

const SAYS =
	"They go back to their queues with their arguments, and run again as soon as a worker has room.";

async function act(group: FailureGroup, verb: "retry"): Promise<boolean> {
	const path = `failures/${group.fingerprint}/$${verb}`;
	try {
		const meant = await send<Changed>("POST", path, { dry_run: true });
		const jobs = `${count(meant.count, meant.exact)} ${meant.count === 1 ? "job" : "jobs"}`;
		const go = await confirm({
			title: `Retry ${jobs}?`,
			says: `${group.error.type} in ${group.tasks.join(", ")}. ${SAYS}`,
			verb: `Retry ${jobs}`,
			typed: meant.count > 100 ? String(meant.count) : undefined,
		});
		if (!go) return false;
		const was = await send<Changed>("POST", path, { dry_run: false });
		tell(`${count(was.count, was.exact)} sent back.`);
		invalidate(new Set(["failures", "jobs", "queues"]));
		return true;
	} catch (problem) {
		tellProblem(problem);
		return false;
	}
}

function None({ narrow, muted }: { narrow: boolean; muted: boolean }) {
	if (muted)
		return (
			<Empty title="Nothing is muted.">
				<p>
					A cause that is known may be muted, for a time or for good: it is no news then, here, in
					the overview and for webhooks.
				</p>
				<CopyLine text="rotulus failures mute GROUP --for 7d" />
			</Empty>
		);
	return (
		<Empty title="Nothing has failed.">
			<p>
				{narrow ? "Not in this span of time. " : ""}
				Failures of one cause come together here, with the last of them as an example. On the
				command line:
			</p>
			<CopyLine text="rotulus failures module:app" />
		</Empty>
	);
}
