# SPDX-License-Identifier: LGPL-2.1-or-later
# The top of the tree stays small.

status=0
for entry in *; do
    case $entry in
    src | units | man | test | meson.build | meson_options.txt | README.md | LICENSE) ;;
    build*) ;;
    *)
        echo "$entry does not belong at the top"
        status=1
        ;;
    esac
done
exit $status
