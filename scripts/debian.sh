# shellcheck shell=bash
# Where Debian's packages come from. It is read by scripts that fetch some which apt does not install.

# The distribution's own mirror, as apt knows it.
# shellcheck disable=SC2016 # $(SITE) is apt's own.
mirror() { apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | grep '/debian$' | head -n 1; }
