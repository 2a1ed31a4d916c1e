"""The configuration files of the lab's two servers, nginx and docker-registry."""

from __future__ import annotations

from pathlib import Path

from tests.lab.internet import authority, names

PROBE = "probe.invalid"  # the Host of our own question whether nginx answers; it is not logged

# A registry that does not name a Location for a blob cannot be pulled from by Ollama; "?" is the same address again.
REGISTRY = """\
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage:
  filesystem: {{rootdirectory: {store}}}
  delete: {{enabled: true}}
http:
  net: unix
  addr: {socket}
  relativeurls: true
  secret: only-one-registry-writes-uploads
  headers: {{Location: ["?"]}}
"""

# A file under `faults` with the path of a request takes that request to the stand-in (faults.py); no reload is needed.
NGINX = """\
user root;
worker_processes 2;
daemon off;
pid {directory}/nginx.own-pid;
error_log {directory}/nginx-errors.log warn;
events {{ worker_connections 2048; }}
http {{
    log_format lab escape=json '{{"time":$msec,"client":"$remote_addr","host":"$host","method":"$request_method",'
        '"path":"$request_uri","status":$status,"sent":$body_bytes_sent,"range":"$http_range",'
        '"agent":"$http_user_agent"}}';
    access_log {directory}/requests.jsonl lab;
    types {{ }}
    default_type application/octet-stream;
    sendfile on;
    tcp_nopush on;
    server_tokens off;
    server_names_hash_bucket_size 128;
    client_max_body_size 0;
    client_body_temp_path {directory}/temp/body;
    proxy_temp_path {directory}/temp/proxy;
    fastcgi_temp_path {directory}/temp/fastcgi;
    uwsgi_temp_path {directory}/temp/uwsgi;
    scgi_temp_path {directory}/temp/scgi;
    proxy_http_version 1.1;
    proxy_request_buffering off;
    proxy_max_temp_file_size 0;
    proxy_buffers 16 64k;
    proxy_buffer_size 64k;
    proxy_busy_buffers_size 256k;
    proxy_read_timeout 300s;
    proxy_set_header Host $host;
    proxy_set_header X-Forwarded-Proto https;
    ssl_certificate {chain};
    ssl_certificate_key {key};
    ssl_session_cache shared:lab:1m;
    error_page 418 = @faulty;

    server {{
        listen unix:{directory}/origin.sock;
        access_log off;
        location /v2/ {{ proxy_pass http://unix:{directory}/registry.sock:; }}
        location /ollama/ {{ alias {releases}/; }}
        location @faulty {{ return 404; }}
    }}
    server {{
        listen {address}:443 ssl;
        server_name {probe};
        access_log off;
        location = /v2/ {{ proxy_pass http://unix:{directory}/registry.sock:; }}
        location @faulty {{ return 404; }}
    }}
    server {{
        listen {address}:443 ssl default_server;
        server_name _;
        location / {{ return 404; }}
        location @faulty {{ return 404; }}
    }}
    server {{
        listen {address}:443 ssl;
        server_name {registries};
        location = / {{ return 200 "fleethands lab\\n"; }}
        location /v2/ {{
            if (-f {directory}/faults$uri) {{ return 418; }}
            proxy_pass http://unix:{directory}/registry.sock:;
        }}
        location @faulty {{ proxy_buffering off; proxy_pass http://unix:{directory}/faults.sock:; }}
    }}
    server {{
        listen {address}:443 ssl;
        server_name {ollama};
        location = /install.sh {{ root {releases}; }}
        location ~ ^/download/(?<file>[\\w.-]+)$ {{
            set $wanted {newest};
            if ($arg_version) {{ set $wanted $arg_version; }}
            return 307 https://{github}/ollama/ollama/releases/download/v$wanted/$file;
        }}
        location @faulty {{ return 404; }}
    }}
    server {{
        listen {address}:443 ssl;
        server_name {github};
        location ~ ^/ollama/ollama/releases/download/(?<file>v[\\w.-]+/[\\w.-]+)$ {{
            if (!-f {releases}/$file) {{ return 404; }}
            return 302 https://{assets}/ollama/$file;
        }}
        location ~ ^/(?<repository>[\\w-]+/[\\w-]+?)(\\.git)?(?<rest>/info/refs|/git-upload-pack)$ {{
            if (-f {directory}/faults$uri) {{ return 418; }}
            gzip off;
            fastcgi_param SCRIPT_FILENAME /usr/lib/git-core/git-http-backend;
            fastcgi_param GIT_PROJECT_ROOT {directory}/git;
            fastcgi_param GIT_HTTP_EXPORT_ALL "";
            fastcgi_param PATH_INFO /$repository.git$rest;
            fastcgi_param QUERY_STRING $query_string;
            fastcgi_param REQUEST_METHOD $request_method;
            fastcgi_param CONTENT_TYPE $content_type;
            fastcgi_param CONTENT_LENGTH $content_length;
            fastcgi_param HTTP_CONTENT_ENCODING $http_content_encoding;
            fastcgi_param HTTP_GIT_PROTOCOL $http_git_protocol;
            fastcgi_pass unix:{directory}/git.sock;
        }}
        location @faulty {{ proxy_buffering off; proxy_pass http://unix:{directory}/faults.sock:; }}
    }}
    server {{
        listen {address}:443 ssl;
        server_name {assets};
        location /ollama/ {{
            if (-f {directory}/faults$uri) {{ return 418; }}
            alias {releases}/;
        }}
        location @faulty {{ proxy_buffering off; proxy_pass http://unix:{directory}/faults.sock:; }}
    }}
}}
"""


def registry(store: Path, socket: Path) -> str:
    """docker-registry's configuration: one store behind a Unix socket."""
    return REGISTRY.format(store=store, socket=socket)


def nginx(directory: Path, address: str, releases: Path, newest: str) -> str:
    """nginx's configuration: every name of the lab under TLS at one address, nothing anywhere else."""
    chain, key = authority.server_certificate()
    return NGINX.format(
        directory=directory,
        address=address,
        releases=releases,
        newest=newest,
        chain=chain,
        key=key,
        registries=" ".join(names.REGISTRIES),
        ollama=names.OLLAMA,
        github=names.GITHUB,
        assets=names.ASSETS,
        probe=PROBE,
    )
