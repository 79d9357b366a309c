/** What a process has answered at the endpoint of pushes, the last one first. */
import { useSignal } from "@preact/signals";
import type { PushDeliveries, PushDelivery } from "../../api/types";
import { length } from "../../logic/lengths";
import type { State } from "../../logic/states";
import { StateMark } from "../../parts/state";
import { When } from "../../parts/when";
import { href } from "../../place";

const VERDICTS: Record<PushDelivery["verdict"], readonly [State, string]> = {
	verified: ["succeeded", "verified"],
	local: ["queued", "this machine"],
	refused: ["failed", "refused"],
};

const SHOWN = 10;

/** The table, and whose deliveries these are. */
export function Deliveries({ data, refused }: { data: PushDeliveries; refused: boolean }) {
	const all = useSignal(false);
	const shown = all.value ? data.items : data.items.slice(0, SHOWN);
	return (
		<>
			<p class="quiet whose">
				Answered by process {data.pid} on {data.host}, begun <When at={data.since} />. Other
				processes have lists of their own;{" "}
				<a href={href("jobs", { q: "queue:_pubsub" })}>the jobs</a> are those of all.
			</p>
			{data.items.length ? (
				<div class="table-box">
					<table class="table">
						<thead>
							<tr>
								<th scope="col">Task</th>
								<th scope="col">Sender</th>
								<th scope="col">Answer</th>
								<th scope="col" class="right">
									Took
								</th>
								<th scope="col">Job</th>
								<th scope="col" class="right">
									When
								</th>
							</tr>
						</thead>
						<tbody>
							{shown.map((one) => (
								<Row key={`${one.at} ${one.message_id} ${one.seconds}`} push={one} />
							))}
						</tbody>
					</table>
					{shown.length < data.items.length && (
						<p class="more-line pad">
							<button
								type="button"
								onClick={() => {
									all.value = true;
								}}
							>
								Show all {data.items.length}
							</button>
						</p>
					)}
				</div>
			) : (
				<p class="quiet pad">
					{refused ? "None was refused." : "Nothing was pushed to this process so far."}
				</p>
			)}
		</>
	);
}

function Row({ push }: { push: PushDelivery }) {
	const [mark, word] = VERDICTS[push.verdict];
	const message = push.message_id ? `message ${push.message_id}` : "";
	const from = push.subscription ? ` of ${push.subscription}` : "";
	return (
		<tr class={push.refusal ? "tall" : ""}>
			<th scope="row" title={message + from}>
				{push.kind === "tick" ? (
					<span class="quiet">tick</span>
				) : push.task ? (
					<span class="cut strong">{push.task}</span>
				) : (
					<span class="quiet">not known</span>
				)}
			</th>
			<td class="sender">
				<span class={`state s-${mark}`}>
					<StateMark state={mark} />
					<span>{word}</span>
				</span>
				{push.refusal && (
					<span class="cut quiet second-line" title={push.refusal}>
						{push.refusal}
					</span>
				)}
			</td>
			<td>
				<span class={push.status !== null && push.status < 400 ? "number" : "number bad-text"}>
					{push.status ?? "error"}
				</span>
				<span class="quiet"> {push.kind === "tick" && push.status === 200 ? "" : push.answer}</span>
			</td>
			<td class="right number" data-name="took">
				{length(push.seconds)}
			</td>
			<td data-name={push.job_id ? "job" : undefined}>
				{push.job_id ? (
					<a href={href(`jobs/${push.job_id}`)}>
						<code>{push.job_id.slice(-8)}</code>
					</a>
				) : (
					<span class="quiet wide">–</span>
				)}
			</td>
			<td class="right" data-name="at">
				<When at={push.at} />
			</td>
		</tr>
	);
}
