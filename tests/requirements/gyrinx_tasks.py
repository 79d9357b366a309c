"""The functions of the document's examples, under the module that it gives them."""


def send_welcome_email(user_id: int) -> str:
    return f"welcome {user_id}"


def generate_report(name: str) -> str:
    return f"report {name}"


def cleanup_old_data() -> int:
    return 3


def send_daily_report() -> None: ...


for _function in (send_welcome_email, generate_report, cleanup_old_data, send_daily_report):
    _function.__module__ = "gyrinx.core.tasks"
