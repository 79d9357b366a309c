/** The store: where it is, how large, how long it keeps what, and which migrations it has had. */
import type { Setting, StoreInfo, StoreTable } from "../../api/types";
import { bytes, count, length } from "../../logic/lengths";
import { Fact } from "../../parts/fact";
import { right, Table } from "../../parts/table";
import { Growth } from "./growth";

interface StoreProps {
	store: StoreInfo;
	settings: readonly Setting[] | undefined;
}

/** The facts, and the tables that have rows. */
export function StoreFacts({ store, settings = [] }: StoreProps) {
	const { migrations, missing, unfinished } = store;
	const known = migrations.length + missing.length;
	const kept = (name: string) => {
		const value = settings.find((one) => one.name === name)?.value;
		return typeof value === "number" ? length(value) : "…";
	};
	const isSized = store.tables.some((one) => one.size !== null);
	const weight = (one: StoreTable) => (isSized ? (one.size ?? 0) : one.rows);
	const filled = store.tables.filter((one) => one.rows > 0);
	const sorted = filled.sort((one, other) => weight(other) - weight(one));
	const empty = store.tables.length - sorted.length;
	return (
		<>
			<dl class="facts">
				<Fact name="Place">
					<code>{store.url}</code>
				</Fact>
				<Fact name="Size">{bytes(store.size)}</Fact>
				<Growth />
				<Fact name="Keeps">
					{kept("keep")} of what succeeded, {kept("keep_failed")} of what failed,{" "}
					{kept("keep_stats")} of statistics and audit
				</Fact>
				<Fact name="Migrations">
					{count(migrations.length)} of {count(known)}
					{missing.length > 0 && <span class="bad-text">missing: {missing.join(", ")}</span>}
					{!missing.length && <span class="quiet">the last: {migrations.at(-1)}</span>}
				</Fact>
				{store.rights && <Granted rights={store.rights} />}
				{unfinished.map((one) => (
					<Fact key={one} name="To do">
						<span class="warn-text">{one}</span>
					</Fact>
				))}
			</dl>
			<Table heads={["Table", right("Rows"), ...(isSized ? [right("Size")] : [])]} isCard={false}>
				{sorted.map((one) => (
					<tr key={one.name}>
						<th scope="row">
							<span class="cut">{one.name.replace("rotulus_", "")}</span>
						</th>
						<td class="right number" data-name="rows">
							{one.exact || !isSized ? count(one.rows, one.exact) : `≈ ${count(one.rows)}`}
						</td>
						{isSized && (
							<td class="right number" data-name="size">
								{bytes(one.size ?? 0)}
							</td>
						)}
					</tr>
				))}
			</Table>
			{empty > 0 && <p class="quiet pad">{count(empty)} more tables are empty.</p>}
		</>
	);
}

/** Who the user of the database is, and what the rights of the user are good for. */
function Granted({
	rights: { user, owner, missing },
}: {
	rights: NonNullable<StoreInfo["rights"]>;
}) {
	return (
		<Fact name="Rights">
			<code>{user}</code> {owner && <span class="quiet">owns the tables</span>}
			{!owner &&
				Object.entries(missing).map(([role, lacks]) => (
					<span key={role} class="second-line" title={lacks.join("\n")}>
						{role}:{" "}
						{lacks.length ? `lacks ${count(lacks.length)}, such as ${lacks[0]}` : "all it needs"}
					</span>
				))}
		</Fact>
	);
}
