FROM debian:bookworm-slim
SHELL ["/bin/bash", "-eo", "pipefail", "-c"]
RUN <<EOF
apt-get update
apt-get install -y --no-install-recommends python3-pip pipx
rm -rf /var/lib/apt/lists/*
EOF
RUN <<-EOT
	set -e
	pip3 install --break-system-packages --no-cache-dir requests
	pip3 cache purge
	EOT
RUN cat <<EOF > /etc/batch.conf && pip3 install --break-system-packages rich
pip install is only text here
EOF
RUN ["pip3", "install", "--break-system-packages", "--no-cache-dir", "click"]
