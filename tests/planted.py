"""Secrets of every kind, to plant where the program reads."""

from __future__ import annotations

import base64
import json

JWT = ".".join(
    base64.urlsafe_b64encode(part).decode().rstrip("=")
    for part in (b'{"alg":"RS256"}', b'{"sub":"planted-subject-1"}', b"s" * 60)
)
KEY = base64.b64encode(b"planted storage account key, 64 bytes long, of one account only!").decode()
PLANTED = {
    "storage key": (f"DefaultEndpointsProtocol=https;AccountName=a;AccountKey={KEY};", KEY),
    "SAS": ("https://a.blob.core.windows.net/c?sv=2022&se=2026&sig=Pl4ntedS1gn4ture%2Bx%3D", "Pl4ntedS1gn4ture"),
    "bearer": ("Authorization: Bearer pl4nted.be4rer.t0ken-0123456789", "pl4nted.be4rer"),
    "JWT": (f"got {JWT}", JWT),
    "client secret in env": ("AZURE_CLIENT_SECRET=Pl4nted~Client.Secret-1", "Pl4nted~Client"),
    "client secret in JSON": ('{"client_secret": "Pl4nted~Json.Secret-2"}', "Pl4nted~Json"),
    "instrumentation key": ("InstrumentationKey=11111111-2222-3333-4444-555555555551", "555555555551"),
    "connection string": ("APPLICATIONINSIGHTS_CONNECTION_STRING=InstrumentationKey=11111111-2222-3333-4444-555555555552;IngestionEndpoint=https://x/", "555555555552"),
    "PEM": ("-----BEGIN PRIVATE KEY-----\\nUGxhbnRlZFBlbUtleUJ5dGVz\\n-----END PRIVATE KEY-----", "UGxhbnRlZFBlbUtleUJ5dGVz"),
    "docker auths": ('{"auths": {"x.azurecr.io": {"auth": "cGxhbnRlZDpkb2NrZXJhdXRo"}}}', "cGxhbnRlZDpkb2NrZXJhdXRo"),
    "basic-auth URL": ("https://planted-user:Pl4ntedUrlPass@host/x", "Pl4ntedUrlPass"),
    "basic": ("Authorization: Basic cGxhbnRlZDpiYXNpY2F1dGg=", "cGxhbnRlZDpiYXNpY2F1dGg"),
    "password": ("password=Pl4ntedPassw0rd", "Pl4ntedPassw0rd"),
    "database password": ("Server=tcp:x;User ID=u;Password=Pl4ntedDbPass1;", "Pl4ntedDbPass1"),
    "docker login": ("docker login x.azurecr.io -u u -p Pl4ntedLogin9", "Pl4ntedLogin9"),
    "endpoint key": ('{"primaryKey": "Pl4ntedPrimaryKey0123456789abcdef"}', "Pl4ntedPrimaryKey"),
    "access token": ('"accessToken": "pl4nted-access-token-0123456789"', "pl4nted-access-token"),
    "refresh token": ('"refresh_token": "0.pl4nted-refresh-token-012345"', "pl4nted-refresh-token"),
    "shared access key": ("Endpoint=sb://x/;SharedAccessKeyName=r;SharedAccessKey=Pl4ntedBusKey0123456789abcdefghijklmnopq=", "Pl4ntedBusKey"),
    "GitHub": ("ghp_pl4nted0123456789abcdefghijklmnopqrs", "pl4nted0123456789abc"),
    "AWS": ("AWS_SECRET_ACCESS_KEY=Pl4nted/AwsSecret0123456789abcdefghijklm", "Pl4nted/AwsSecret"),
    "Slack": ("xoxb-123456789012-pl4ntedSlackToken0123456", "pl4ntedSlackToken"),
    "Hugging Face": ("HF_TOKEN=hf_plntdHuggingFaceTokenAbcdefghijkl", "plntdHuggingFace"),
    "OpenAI": ("OPENAI_API_KEY=sk-proj-pl4ntedOpenAi0123456789abcdefghijklmnopqrstuvwx", "pl4ntedOpenAi"),
    "Databricks": ("DATABRICKS_TOKEN=dapi0123456789abcdef0123456789abcdef", "dapi0123456789abcdef"),
    "wandb": ("WANDB_API_KEY=pl4nted0123456789abcdef0123456789abcdef01", "pl4nted0123456789abcdef"),
    "subscription key": ("Ocp-Apim-Subscription-Key: pl4ntedapim0123456789abcdef", "pl4ntedapim"),
    "cookie": ("Set-Cookie: session=pl4ntedcookie0123456789; Path=/", "pl4ntedcookie"),
}  # fmt: skip
"""A line with a secret in it, and the part of it that must never be seen."""


def leaks(text: str) -> list[str]:
    return [kind for kind, (_, secret) in PLANTED.items() if secret in text or json.dumps(secret)[1:-1] in text]
