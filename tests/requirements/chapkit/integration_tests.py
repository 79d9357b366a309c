from fastapi.testclient import TestClient

def test_task_workflow(client: TestClient):
    """Test complete task workflow."""
    # List tasks
    response = client.get("/api/v1/tasks")
    assert response.status_code == 200
    tasks = response.json()
    assert len(tasks) > 0

    # Get task metadata
    task_name = tasks[0]["name"]
    response = client.get(f"/api/v1/tasks/{task_name}")
    assert response.status_code == 200
    task_info = response.json()
    assert task_info["name"] == task_name

    # Execute task - gets result immediately
    exec_response = client.post(
        f"/api/v1/tasks/{task_name}/$execute",
        json={"params": {"name": "Test"}}
    )
    assert exec_response.status_code == 200
    data = exec_response.json()

    # Verify response structure
    assert data["task_name"] == task_name
    assert data["params"] == {"name": "Test"}
    assert data["result"] is not None
    assert data["error"] is None

def test_task_error_handling(client: TestClient):
    """Test task error handling."""
    # Execute task that will fail
    response = client.post(
        "/api/v1/tasks/failing_task/$execute",
        json={"params": {}}
    )
    assert response.status_code == 200
    data = response.json()

    # Error captured in response
    assert data["result"] is None
    assert data["error"] is not None
    assert "type" in data["error"]
    assert "message" in data["error"]
    assert "traceback" in data["error"]
